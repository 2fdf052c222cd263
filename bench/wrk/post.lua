-- Creates and transactions: the bodies of a file, one a line, to one path.

require("report")

local requests, place = {}, 0

function init(args)
  wrk.headers["Content-Type"] = "application/fhir+json"
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", args[2], nil, body)
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end
