/**
 * Takes of every bucket or of none, on the server's clock: processes whose clocks differ agree.
 * KEYS: buckets. ARGV: for each interval (ms), burst, cost; then how many equal calls want to go. Returns 0 and how many may, or the wait in µs and
 * the indexes (from 1) of those without room.
 * A TAT is stored in ms since 2020, which a double holds to the nanosecond.
 */
export const TAKE_SCRIPT = `
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1577836800) * 1000 + tonumber(time[2]) / 1000
local wait = 0
local blocked = {}
local steps = {}
local bases = {}
local calls = tonumber(ARGV[#ARGV])
for i = 1, #KEYS do
  local interval = tonumber(ARGV[i * 3 - 2])
  local burst = tonumber(ARGV[i * 3 - 1])
  local cost = math.min(tonumber(ARGV[i * 3]), burst)
  local base = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
  local over = base + cost * interval - burst * interval - now
  if over > 0 then
    blocked[#blocked + 1] = i
    if over > wait then wait = over end
  elseif interval > 0 then
    steps[i] = cost * interval
    bases[i] = base
    calls = math.min(calls, math.max(1, math.floor((now + burst * interval - base) / steps[i])))
  end
end
if #blocked > 0 then
  table.insert(blocked, 1, math.ceil(wait * 1000))
  return blocked
end
for i, step in pairs(steps) do
  local tat = bases[i] + calls * step
  redis.call('SET', KEYS[i], string.format('%.6f', tat), 'PX', math.ceil(tat - now) + 1000)
end
return {0, calls}
`;

/** KEYS: buckets. ARGV: ms, then for each (burst - 1) * interval. An earlier closing never shortens a longer one. */
export const CLOSE_SCRIPT = `
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1577836800) * 1000 + tonumber(time[2]) / 1000
for i = 1, #KEYS do
  local tat = now + tonumber(ARGV[1]) + tonumber(ARGV[i + 1])
  if tat > tonumber(redis.call('GET', KEYS[i]) or '0') then
    redis.call('SET', KEYS[i], string.format('%.6f', tat), 'PX', math.ceil(tat - now) + 1000)
  end
end
return 1
`;

/** KEYS: the set of processes. ARGV: this process, ms until one that is silent counts as gone. Returns how many there are. */
export const HEARTBEAT_SCRIPT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) * 2)
return redis.call('ZCARD', KEYS[1])
`;
