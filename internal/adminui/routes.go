package adminui

import (
	"net/http"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/guard"
	"github.com/hallpass-go/hallpass/internal/look"
)

// visit is one request of an operator.
type visit struct {
	*http.Request
	w  http.ResponseWriter
	op Operator
	// session is the id of the operator's own.
	session string
	// acted is what was written down last as done.
	acted hallpass.Event
}

// route is one page or action, and the least role that it takes.
type route struct {
	pattern string
	role    Role
	handle  func(*visit) error
}

// grantLike names the route whose grant is enough for another one; nothing where
// whoever is in may do it.
var grantLike = map[string]string{
	"POST /find":  "GET /pass",
	"POST /leave": "",
}

func (u *UI) routes() []route {
	return []route{
		{"GET /{$}", RoleViewer, u.overview},
		{"POST /find", RoleViewer, u.find},
		{"GET /passes", RoleViewer, u.passes},
		{"GET /passes/export", RoleViewer, u.exportPasses},
		{"GET /pass", RoleViewer, u.pass},
		{"POST /pass/revoke", RoleIssuer, u.revokePass},
		{"POST /pass/link", RoleIssuer, u.showLink},
		{"GET /revoke", RoleAdmin, u.revokeForm},
		{"POST /revoke", RoleAdmin, u.revokeGroup},
		{"GET /revoke/picked", RoleIssuer, u.pickedForm},
		{"POST /revoke/picked", RoleIssuer, u.revokePicked},
		{"GET /issue", RoleIssuer, u.issueForm},
		{"POST /issue", RoleIssuer, u.issue},
		{"POST /issue/preview", RoleIssuer, u.preview},
		{"POST /issue/upload", RoleIssuer, u.upload},
		{"GET /uses", RoleViewer, u.uses},
		{"GET /uses/export", RoleViewer, u.exportUses},
		{"GET /events", RoleViewer, u.events},
		{"GET /events/export", RoleViewer, u.exportEvents},
		{"GET /campaigns", RoleViewer, u.campaigns},
		{"GET /campaign", RoleViewer, u.campaign},
		{"GET /sessions", RoleViewer, u.sessions},
		{"POST /sessions/end", RoleAdmin, u.endSession},
		{"POST /sessions/unblock", RoleAdmin, u.unblock},
		{"GET /keys", RoleViewer, u.keys},
		{"POST /keys/rotate", RoleAdmin, u.rotateKeys},
		{"POST /keys/retire", RoleAdmin, u.retireKey},
		{"GET /settings", RoleViewer, u.settings},
		{"POST /leave", RoleViewer, u.leave},
	}
}

// Streamed are the paths below Prefix whose requests or answers have no bound on
// their length.
func Streamed() []string {
	return []string{"/passes/export", "/uses/export", "/events/export", "/issue/upload"}
}

// Handler is the admin, for all paths below Prefix.
func (u *UI) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range u.routes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		mux.Handle(method+" "+u.cfg.Prefix+path, u.enter(rt))
	}
	mux.Handle("/", u.enter(route{role: RoleViewer, handle: func(*visit) error { return hallpass.ErrNotFound }}))
	// The guard's own forms protect themselves, by their nonce; it answers them before
	// what stands behind it.
	guarded := u.guard.Optional(Scope, &guard.Options{
		Modes: []hallpass.Mode{hallpass.ModeSession}, Transports: guard.Query,
		Title: "Open the admin?", Button: "Sign in",
		Sentence: func(p hallpass.Pass) string {
			role := "an operator"
			if op, err := operatorOf(p); err == nil {
				role = string(op.Role)
			}
			return "This link signs " + look.Visible(p.Subject) + " in to the admin as " + role + "."
		},
	})(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, u.cfg.Prefix+"/assets/"); ok {
			u.assets.serve(w, r, name)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// enter judges who asks, for this very request: session, grants, role and, for
// whatever changes something, that the request comes from a page of ours.
func (u *UI) enter(rt route) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Request: r, w: w}
		// A page that looks by itself how things are does not keep its operator in.
		session, err := u.session(r, unsafe(r.Method) || r.Header.Get("HX-Request") != "true")
		if err != nil {
			u.fail(v, err)
			return
		}
		if session == nil {
			u.signInPage(v)
			return
		}
		if v.op, err = operatorOf(session.Pass); err != nil {
			u.signInPage(v)
			return
		}
		v.session = session.ID
		switch {
		case unsafe(r.Method) && (crossOrigin.Check(r) != nil || !saysWhereFrom(r)):
			u.refuse(v, "crossSite")
		case !v.op.Role.includes(rt.role):
			u.refuse(v, "role")
		case !u.granted(rt, session.Pass, r):
			u.refuse(v, "grants")
		default:
			if err := rt.handle(v); err != nil {
				u.failed(v, err)
				u.fail(v, err)
			}
		}
	})
}

// granted reports whether the grants of the operator's pass let this request in.
func (u *UI) granted(rt route, p hallpass.Pass, r *http.Request) bool {
	like, another := grantLike[rt.pattern]
	if !another {
		return p.Covers(r.Method, r.URL.EscapedPath())
	}
	method, path, _ := strings.Cut(like, " ")
	return like == "" || p.Covers(method, u.to(path))
}

func unsafe(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// saysWhereFrom: every browser that has our cookie names its page's origin with a
// post, in one of these headers. http.CrossOriginProtection lets those without pass.
func saysWhereFrom(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != ""
}

func (u *UI) leave(v *visit) error {
	if err := u.act(v, hallpass.Event{Action: "admin.sign_out", Pass: v.op.Pass.ID}); err != nil {
		return err
	}
	if err := u.leaveAll(v.w, v.Request); err != nil {
		return err
	}
	http.Redirect(v.w, v.Request, u.to("/"), http.StatusSeeOther)
	return nil
}
