package login

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/mail"
)

// Config is what a Login needs. Issuer, AccessKeys, Cells, Sender, BaseURL and
// Allow are required; the zero value of any other field is a good default.
type Config struct {
	// Issuer gives the clock, the keys from which secrets are derived, and the group
	// revocations, which reach logins too: under Scope, by subject and by time.
	Issuer *hallpass.Issuer
	// AccessKeys sign access tokens. Their purpose is hallpass.PurposeAccess.
	AccessKeys *hallpass.Keyring
	// Cells keeps codes, counters, sessions and mails not yet sent.
	Cells hallpass.CellStore
	// Sender takes the mail with the link and the code to its reader. The worker
	// of Run calls it.
	Sender mail.Sender
	// BaseURL is the origin of the login pages, such as "https://example.com", and
	// Path is where they are below it. Mailed links are built from them, never from
	// a request. Path defaults to "/login".
	BaseURL, Path string
	// Origins are further origins where the same pages are, for Start.Origin.
	Origins []string

	// Allow says whether an address may log in, and with what claims. It is asked
	// before a mail is sent, by a worker, so that nobody can tell from an answer or
	// its time who has an account; and again when the code or link comes back. A
	// claim "sub" is the subject's id; without it the address is. Its refusal is
	// hallpass.RefusalUnknownSubject; any other error means that it cannot tell now.
	Allow func(ctx context.Context, address mail.Address) (Claims, error)
	// StillAllowed is asked at each refresh. Claims that it returns take the place of
	// the session's; nil keeps them. hallpass.RefusalUnknownSubject ends the session;
	// any other error refuses this refresh alone. Defaults to asking Allow and keeping
	// the session's claims.
	StillAllowed func(ctx context.Context, s Session) (Claims, error)
	// OnBlocked, when set, is told of each attempt that is turned away. It runs
	// within the request, so it must not wait for anything.
	OnBlocked func(Blocked)
	// Observe, when set, is told of each step of a login, and ObserveMail of what
	// becomes of mails, for counters. They are called from several goroutines and must
	// not wait for anything.
	Observe     func(Event)
	ObserveMail func(mail.OutboxEvent)
	// ExpectedClaims must be among those that Allow returns, or nobody gets in:
	// a token without them would be a surprise elsewhere.
	ExpectedClaims []string
	// UpdatableClaims may be changed by the session itself, by Update.
	UpdatableClaims []string

	// Scope is the name under which group revocations reach logins. Logins with the
	// same scope, keys and store share their users' sessions, codes and counters;
	// those with different scopes share nothing. Defaults to "login".
	Scope hallpass.Scope
	// CodeDigits is how many digits a code has, 6 to 10. Defaults to 6.
	CodeDigits int
	// CodeTTL is the life of code and link, at most 10 minutes (NIST SP 800-63B-4,
	// 3.1.3.2). Defaults to 10 minutes.
	CodeTTL time.Duration
	// Limits bound sending and guessing.
	Limits Limits
	// NoHandOver switches off the code that a link opened on another device shows
	// for the device where the login began.
	NoHandOver bool
	// HandOverTTL is how long that code works. Defaults to 2 minutes.
	HandOverTTL time.Duration

	// AccessTTL is the life of an access token, which nothing can shorten: whoever
	// verifies it asks nobody. Defaults to 5 minutes.
	AccessTTL time.Duration
	// RefreshIdle ends a session that is not refreshed; RefreshLife ends any.
	// Default to 14 and 90 days.
	RefreshIdle, RefreshLife time.Duration
	// RefreshGrace is how long the refresh token before the current one still gets
	// the current one: for two tabs that refresh at once and for lost answers.
	// After it, an old token means a thief, and ends the session. Defaults to 10
	// seconds; negative means none.
	RefreshGrace time.Duration
	// IssuerURL, Audience and ClientID are the `iss`, `aud` and `client_id` of access
	// tokens (RFC 9068 section 2.2). The first two default to BaseURL, ClientID to
	// "hallpass".
	IssuerURL, Audience, ClientID string
	// Leeway widens the life of access tokens when they are judged here, for clocks
	// that disagree. Defaults to 0.
	Leeway time.Duration
	// CipherKey, 32 bytes, encrypts access tokens (JWE, `dir` with A256GCM, RFC
	// 7516). Nobody then reads or verifies them without it. Nil leaves them plain.
	CipherKey []byte

	// Tokens, when set, is the form of the access and refresh tokens that are given
	// out, for programs that verify another's already; nil is hallpass's own. Sessions,
	// rotation, ends and revocations are the same; `exp` is by AccessTTL and
	// RefreshIdle. Access tokens say what Allow says and no more, so whose they are is
	// what Identify reads in that.
	Tokens *TokenForm
	// Former are forms that were in use before. Their access tokens are taken until
	// they end, and their live refresh tokens once each, for tokens as they are given
	// out now: nobody has to log in again. StillAllowed is asked before, as ever.
	// Hallpass's own tokens, and those of Tokens, are always taken.
	Former []TokenForm

	// ReviewAccounts have a fixed code, for the reviewers of an app store who get no
	// mail. Each is a way in past the mailbox: New and every use of one say so in
	// the log. Defaults to none.
	ReviewAccounts map[mail.Address]string

	// HTTP is how the handlers speak with browsers and apps.
	HTTP HTTP
	// Words are the texts and templates of mails and pages.
	Words Words

	// Site is the application's name, in mails and on pages.
	Site string
	// Logger gets what the client is not told. Codes, links and tokens are never
	// among it. Defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	def(&c.Path, "/login")
	def(&c.Scope, "login")
	def(&c.CodeDigits, 6)
	def(&c.CodeTTL, 10*time.Minute)
	def(&c.HandOverTTL, 2*time.Minute)
	def(&c.AccessTTL, 5*time.Minute)
	def(&c.RefreshIdle, 14*24*time.Hour)
	def(&c.RefreshLife, 90*24*time.Hour)
	def(&c.RefreshGrace, 10*time.Second)
	c.RefreshGrace = max(c.RefreshGrace, 0)
	def(&c.IssuerURL, c.BaseURL)
	def(&c.Audience, c.BaseURL)
	def(&c.ClientID, "hallpass")
	c.Limits = c.Limits.withDefaults()
	c.HTTP = c.HTTP.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	switch {
	case c.Issuer == nil:
		return wrong("issuer", "is required")
	case c.Cells == nil:
		return wrong("cells", "are required; a hallpass.Store has them")
	case c.Sender == nil:
		return wrong("sender", "is required; see package mail")
	case c.Allow == nil:
		return wrong("allow", "is required: say who may log in")
	case c.AccessKeys == nil || c.AccessKeys.Purpose() != hallpass.PurposeAccess:
		return wrong("access_keys", "are required, and their purpose must be access")
	case c.CodeDigits < 6 || c.CodeDigits > 10:
		return wrong("code_digits", "must be 6 to 10")
	case c.CodeTTL < time.Second || c.CodeTTL > 10*time.Minute:
		return wrong("code_ttl", "must lie between a second and 10 minutes")
	case c.HandOverTTL < time.Second || c.HandOverTTL > c.CodeTTL:
		return wrong("hand_over_ttl", "must lie between a second and the life of a code")
	case c.AccessTTL < time.Second || c.AccessTTL > 24*time.Hour:
		return wrong("access_ttl", "must lie between a second and a day")
	case c.RefreshIdle < c.AccessTTL || c.RefreshLife < c.RefreshIdle:
		return wrong("refresh_idle", "must lie between access_ttl and refresh_life")
	case c.RefreshGrace > time.Minute:
		return wrong("refresh_grace", "must be at most a minute: whoever steals an old token may use it for so long")
	case c.Leeway < 0 || c.Leeway > time.Minute*5:
		return wrong("leeway", "must lie between 0 and 5 minutes")
	case c.CipherKey != nil && len(c.CipherKey) != 32:
		return wrong("cipher_key", "must be 32 bytes")
	}
	for _, name := range c.UpdatableClaims {
		if c.isReserved(name) {
			return wrong("updatable_claims", "cannot have %q, which says who somebody is or is hallpass's own", name)
		}
	}
	for address, code := range c.ReviewAccounts {
		if canonical, err := mail.ParseAddress(string(address)); err != nil || canonical != address || len(code) < c.CodeDigits || plainCode(code) != code {
			return wrong("review_accounts", "need a canonical address and a code of at least %d characters, without spaces and hyphens, each", c.CodeDigits)
		}
	}
	for _, origin := range append(slices.Clone(c.Origins), c.BaseURL) {
		if plain, ok := look.Origin(origin); !ok || plain != origin {
			return wrong("base_url", "and origins must be origins such as https://example.com, in lower case and without a path")
		}
	}
	if clean, ok := hallpass.CleanPath(c.Path); !ok || clean != c.Path || len(c.Path) < 2 || c.Path[len(c.Path)-1] == '/' {
		return wrong("path", "must be a path such as /login, without a slash at its end")
	}
	if err := c.validateForms(); err != nil {
		return err
	}
	if err := c.HTTP.validate(c.origins()); err != nil {
		return err
	}
	return c.Limits.validate()
}

func wrong(field, format string, args ...any) error {
	return &hallpass.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
