-- Bookings: lines of a patient and a Slot, each asked for once.

require("report")

local requests, place = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local patient, slot = line:match("(%S+) (%S+)")
    local body = '{"resourceType":"Parameters","parameter":[{"name":"slot","valueString":"' .. slot .. '"}]}'
    local headers = {["Content-Type"] = "application/fhir+json", ["Authorization"] = "Bearer " .. patient}
    requests[#requests + 1] = wrk.format("POST", args[2], headers, body)
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end
