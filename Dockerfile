FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/fhir \
    && /opt/fhir/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY fhir_server fhir_server
RUN /opt/fhir/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin fhir
COPY --from=build /opt/fhir /opt/fhir
WORKDIR /srv/fhir
COPY seed_bundles seed_bundles
COPY capability_statement.json .
COPY profiles profiles
ENV PATH=/opt/fhir/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=4s --start-period=60s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('FHIR_PORT', '8000') + '/health/ready', timeout=3)"]
ENTRYPOINT ["fhir-server"]
CMD ["serve"]
