package api

import "net/http"

// routes is every path of the API. Each but the last four needs a caller.
func (a *API) routes(doc *document) {
	add(a, doc, route{method: "POST", path: "/v1/passes", status: http.StatusCreated, id: "issuePass", about: "Issue a pass"}, a.issue)
	a.addBulk(doc, route{method: "POST", path: "/v1/passes/bulk", status: http.StatusOK, id: "issuePasses", about: "Issue a pass per line"})
	add(a, doc, route{method: "GET", path: "/v1/passes", id: "listPasses", about: "List passes, newest first"}, a.list)
	add(a, doc, route{method: "GET", path: "/v1/passes/{id}", id: "showPass", about: "Show a pass"}, a.show)
	add(a, doc, route{method: "PATCH", path: "/v1/passes/{id}", id: "amendPass", about: "Add uses to a pass, or extend it"}, a.amend)
	add(a, doc, route{method: "POST", path: "/v1/passes/{id}/revoke", id: "revokePass", about: "Take a pass back"}, a.revoke)
	add(a, doc, route{method: "GET", path: "/v1/passes/{id}/uses", id: "listPassUses", about: "List the uses of a pass, newest first"}, a.passUses)
	add(a, doc, route{method: "GET", path: "/v1/uses", id: "listUses", about: "List uses, newest first"}, a.uses)
	add(a, doc, route{method: "GET", path: "/v1/events", id: "listEvents", about: "List refusals, scans, openings, logins and what operators did, newest first"}, a.events)
	add(a, doc, route{method: "GET", path: "/v1/batches/{batch}", id: "showBatch", about: "Count the recorded passes of a batch"}, a.batch)
	add(a, doc, route{method: "POST", path: "/v1/verify", id: "verifyToken", about: "Judge a token without using it"}, a.verify)
	add(a, doc, route{method: "POST", path: "/v1/redeem", id: "redeemToken", about: "Honour a token once"}, a.redeem)
	add(a, doc, route{method: "POST", path: "/v1/settle", id: "settleUse", about: "Say how a held use ended"}, a.settle)
	add(a, doc, route{method: "POST", path: "/v1/revocations", id: "revokeGroup", about: "Take back the passes that have something in common"}, a.revokeGroup)
	add(a, doc, route{method: "POST", path: "/v1/introspect", id: "introspectToken", about: "Token introspection (RFC 7662)", form: true}, a.introspect)
	add(a, doc, route{method: "GET", path: "/v1/sessions", id: "listSessions", about: "List sessions"}, a.sessions)
	add(a, doc, route{method: "POST", path: "/v1/sessions/{id}/end", status: http.StatusNoContent, id: "endSession", about: "End a session"}, a.endSession)

	a.mux.HandleFunc("GET "+a.cfg.Prefix+"/openapi.json", a.serveDocument)
	a.mux.HandleFunc("GET /.well-known/hallpass-jwks.json", a.serveKeys(a.cfg.Keys))
	a.mux.HandleFunc("GET /.well-known/jwks.json", a.serveKeys(a.cfg.AccessKeys))
}

// route is an endpoint, and how the document speaks of it.
type route struct {
	method, path string
	status       int // of success; 0 is 200
	id, about    string
	form         bool // the body is a form, not JSON
}
