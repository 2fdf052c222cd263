-- Updates, each with the version it replaces: a line is the id, the version and the body, in
-- which # stands for the number of the next version. A resource that is being written waits
-- for its answer, which names its new version; none is asked for twice at once.

require("report")

local bodies, versions, free, first, last = {}, {}, {}, 1, 0
local base

local function release(id)
  last = last + 1
  free[last] = id
end

function init(args)
  wrk.headers["Content-Type"] = "application/fhir+json"
  base = args[2]
  for line in io.lines(args[1]) do
    local id, version, before, after = line:match("^(%S+) (%d+) (.-)#(.*)$")
    bodies[id], versions[id] = { before, after }, tonumber(version)
    release(id)
  end
end

function request()
  local id = free[first]
  first = first + 1
  local version = versions[id]
  local headers = { ["Content-Type"] = "application/fhir+json", ["If-Match"] = 'W/"' .. version .. '"' }
  local body = bodies[id][1] .. (version + 1) .. bodies[id][2]
  return wrk.format("PUT", base .. id, headers, body)
end

function response(status, headers, body)
  local id = body:match('"id":"([^"]+)"')
  if status == 200 and id then
    versions[id] = tonumber(headers["etag"]:match("%d+"))
    release(id)
  end
end
