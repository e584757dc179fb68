// Package gate protects applications that do not know hallpass: it decides about
// their requests by rules, in front of any proxy (forward-auth, in each proxy's
// dialect) or as a reverse proxy itself. It is package guard, with sessions of its
// own, around an application that is somewhere else.
package gate

import (
	"io/fs"
	"log/slog"
	"net/netip"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/mail"
)

// Config is what a Gate needs. Issuer, Cells and BaseURL are required.
type Config struct {
	// Issuer decides about passes.
	Issuer *hallpass.Issuer
	// Cells keeps sessions and tickets.
	Cells hallpass.CellStore
	// BaseURL is the origin of the protected application as browsers know it, such
	// as "https://app.example.com". Rules without a host mean its host; its scheme
	// says whether cookies are Secure.
	BaseURL string
	// Rules say what requests need. SetRules replaces them later.
	Rules Rules
	// LoginAllow is who may log in by e-mail. An address that is no longer among
	// them loses its sessions. Nobody by default.
	LoginAllow mail.Patterns
	// Prefix is the path on every protected host that belongs to hallpass.
	// Defaults to "/.hallpass".
	Prefix string
	// TrustedProxies may speak for a client: forwarded headers and the /auth/
	// endpoints count from them only. Empty trusts nobody.
	TrustedProxies []netip.Prefix
	// ClientIPHeader is where they name the client. Defaults to X-Forwarded-For.
	ClientIPHeader string
	// Identity names the headers that tell the application who it is. Empty fields
	// take the defaults.
	Identity IdentityHeaders
	// OwnCookies are names of hallpass's cookies beside those that begin with
	// "hallpass-". The application gets none of them.
	OwnCookies []string
	// SessionIdle and SessionLife bound a session: since its last request, and
	// since it began. They default to 2 and 24 hours.
	SessionIdle, SessionLife time.Duration
	// Site is the application's name on hallpass's pages.
	Site string
	// Templates and Texts replace those pages, as in guard.Config.
	Templates fs.FS
	Texts     map[string]string
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

// IdentityHeaders are the request headers that the application gets. Each is set,
// or removed, on every request.
type IdentityHeaders struct {
	Subject string `yaml:"subject"` // defaults to X-Hallpass-Subject
	Scope   string `yaml:"scope"`   // defaults to X-Hallpass-Scope
	Mode    string `yaml:"mode"`    // defaults to X-Hallpass-Mode
	Pass    string `yaml:"pass"`    // defaults to X-Hallpass-Pass
	Data    string `yaml:"data"`    // defaults to X-Hallpass-Data, as base64url of the JSON
}
