-- The values that two payments of the shop claim: one of them has it, and which one depends on who came first.
local seen, twins = {}, {}
for _, key in ipairs(redis.call('KEYS', 'payment:*')) do
    if redis.call('TYPE', key).ok == 'hash' then
        local fields = {'payment_id', 'transaction_id'}
        for number, value in ipairs(redis.call('HMGET', key, unpack(fields))) do
            local name = value and value:find('^[%w_-]+$') and fields[number] .. ' ' .. value
            if name and seen[name] == 1 then
                table.insert(twins, value)
            end
            if name then
                seen[name] = (seen[name] or 0) + 1
            end
        end
    end
end
return twins
