// Package hallpasstest is for tests of programs that use hallpass: an issuer that
// keeps everything in memory, a clock that the test sets, and a mailbox in which
// mails arrive.
//
//	func TestUnsubscribe(t *testing.T) {
//		kit := hallpasstest.New(t, nil)
//		server := httptest.NewServer(NewSite(kit.Issuer, kit.Mail)) // the program
//		link := kit.Link(server.URL+"/unsubscribe", hallpass.Spec{Scope: "unsubscribe"})
//		// … open link, then:
//		kit.Clock.Advance(30 * 24 * time.Hour)
//		// … and open it again.
//	}
package hallpasstest

import (
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

// Options are the rarer wishes of a test; nil means all defaults.
type Options struct {
	// Start is what the clock says at first. Defaults to the machine's time without the
	// fraction of its second: passes end at whole seconds, so one that lives an hour is
	// over when the clock is an hour on.
	Start time.Time
	// Change, when set, may change the configuration before the issuer is made. Keys,
	// Store and Now are filled in by then.
	Change func(*hallpass.Config)
}

// Kit is what a test needs. Nothing of it has to be closed, and nothing in it runs by
// itself.
type Kit struct {
	*hallpass.Issuer
	// Store has what the issuer remembers. It is its Cells, too, for a login.
	Store *memstore.Store
	// AccessKeys sign the access tokens of a login.
	AccessKeys *hallpass.Keyring
	// Clock decides about expiry. It stands still until the test moves it.
	Clock *Clock
	// Mail takes mails.
	Mail *Mailbox

	t testing.TB
}

// New makes a kit of its own for a test, with new keys. It fails the test when an
// option is wrong.
func New(t testing.TB, opts *Options) *Kit {
	t.Helper()
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Start.IsZero() {
		o.Start = time.Now().Truncate(time.Second)
	}
	k := &Kit{Store: memstore.New(), Clock: NewClock(o.Start), Mail: &Mailbox{}, t: t}
	k.AccessKeys = newKeyring(t, hallpass.PurposeAccess, hallpass.EdDSA)
	cfg := hallpass.Config{Keys: newKeyring(t, hallpass.PurposePass, hallpass.HS256), Store: k.Store, Now: k.Clock.Now}
	if o.Change != nil {
		o.Change(&cfg)
	}
	var err error
	if k.Issuer, err = hallpass.New(cfg); err != nil {
		t.Fatal(err)
	}
	return k
}

func newKeyring(t testing.TB, purpose hallpass.Purpose, alg hallpass.Algorithm) *hallpass.Keyring {
	t.Helper()
	key, err := hallpass.GenerateKeyFor(purpose, alg)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := hallpass.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// Token issues a pass and returns its token as text, for a header or a form. It
// fails the test when the pass cannot be issued.
func (k *Kit) Token(spec hallpass.Spec) string {
	k.t.Helper()
	return k.issue(spec).Reveal()
}

// Link issues a pass and returns a link to a URL with its token, under
// hallpass.DefaultParam. It fails the test when the pass cannot be issued.
func (k *Kit) Link(rawURL string, spec hallpass.Spec) string {
	k.t.Helper()
	link, err := hallpass.Link(rawURL, k.issue(spec), "")
	if err != nil {
		k.t.Fatal(err)
	}
	return link
}

func (k *Kit) issue(spec hallpass.Spec) hallpass.Token {
	k.t.Helper()
	issued, err := k.Issue(k.t.Context(), spec)
	if err != nil {
		k.t.Fatal(err)
	}
	return issued.Token
}
