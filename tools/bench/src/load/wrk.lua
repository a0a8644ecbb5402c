-- Arguments: `body` and the size of one to POST, or `visitors` and a file with a host and a cookie a line, with a
-- tab between them, who ask in turn.
-- Prints what was measured as JSON.

local threads = 0

function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end

function init(args)
  if args[1] == "body" then
    wrk.method = "POST"
    wrk.body = string.rep("x", tonumber(args[2]))
  elseif args[1] == "visitors" then
    local requests = {}
    for line in io.lines(args[2]) do
      wrk.headers["Host"], wrk.headers["Cookie"] = line:match("^(.-)\t(.*)$")
      requests[#requests + 1] = wrk.format()
    end
    -- The threads begin at opposite ends of the list.
    local next = first * math.floor(#requests / 2)
    function request()
      next = next % #requests + 1
      return requests[next]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
