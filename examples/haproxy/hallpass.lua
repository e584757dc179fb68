-- Asks hallpass whether a request may pass: `http-request lua.hallpass HOST:PORT`.
-- See haproxy.cfg beside this file.

-- These belong to the connection or to the body, which hallpass is not sent.
local not_asked = {
    ["host"] = true, ["connection"] = true, ["keep-alive"] = true, ["upgrade"] = true, ["te"] = true,
    ["trailer"] = true, ["transfer-encoding"] = true, ["content-length"] = true, ["expect"] = true,
}

-- The answer's headers that take the place of the client's own.
local replaced = {
    ["x-hallpass-cookie"] = "cookie",
    ["x-hallpass-authorization"] = "authorization",
}

core.register_action("hallpass", { "http-req" }, function(txn, address)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not not_asked[name] then
            local list, i = {}, 0
            while values[i] ~= nil do
                list[i + 1] = values[i]
                i = i + 1
            end
            headers[name] = list
        end
    end

    local answer = core.httpclient():get({
        url = "http://" .. address .. "/auth/haproxy",
        headers = headers,
        timeout = 15000,
    })
    if answer.status ~= 204 then
        return -- denied, or not decided: haproxy.cfg shows hallpass's page
    end

    -- Without these the application would see our token and session.
    if answer.headers["x-hallpass-cookie"] == nil or answer.headers["x-hallpass-authorization"] == nil then
        return
    end
    for name, values in pairs(answer.headers) do
        if string.sub(name, 1, 11) == "x-hallpass-" then
            local target, value = replaced[name] or name, values[0]
            if value == nil or value == "" then
                txn.http:req_del_header(target)
            else
                txn.http:req_set_header(target, value)
            end
        end
    end
    txn:set_var("txn.hallpass_allowed", true)
end, 1)
