"""The look that apps are told to take on, where a launch names none.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#styling
"""

import json
from typing import Final

from fhir_server.smart.digests import digest

STYLE: Final = {
    "color_background": "#ffffff",
    "color_error": "#b3261e",
    "color_highlight": "#0b57d0",
    "color_modal_backdrop": "rgba(0,0,0,0.5)",
    "color_success": "#146c2e",
    "color_text": "#1f1f1f",
    "dim_border_radius": "6px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}

VERSION: Final = digest(json.dumps(STYLE, sort_keys=True))[:16]
"""Part of its URL: "If the content […] changes, the URL SHOULD change"."""
