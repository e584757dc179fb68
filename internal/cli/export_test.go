package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/hallpass-go/hallpass/internal/server"
	"github.com/hallpass-go/hallpass/mail"
)

// SettingsTable is the table of serve's settings for docs/serve.md.
func SettingsTable() string {
	var b strings.Builder
	b.WriteString("| setting | meaning |\n|---|---|\n")
	for _, f := range settingFields() {
		tag := f.Tag
		b.WriteString("| `" + tag.Get("setting") + "` | " + tag.Get("help") + " |\n")
	}
	return b.String()
}

// ShownSecrets are the settings that the admin shows of some that hold secrets.
func ShownSecrets(secret string) (shown map[string]string) {
	c := serveSettings{loginSettings: loginSettings{
		Mail: "smtp://hugo:" + secret + "@mail.example", MailSecret: secret, LoginCipherKey: secret,
		LoginReview: []string{"a@b.example=" + secret}, LoginStore: "postgres://hallpass:" + secret + "@db/x?password=" + secret,
	}}
	shown = map[string]string{}
	for _, s := range c.effective(&app{settings: &settings{}, env: map[string]string{}}, server.Config{}) {
		shown[s.Name] = s.Value
	}
	return shown
}

// ShownSettings are those that config check shows as they are, with what they take.
func ShownSettings() map[string]string {
	shown := map[string]string{}
	for _, f := range settingFields() {
		if f.Tag.Get("secret") == "" {
			shown[f.Tag.Get("setting")] = f.Tag.Get("placeholder")
		}
	}
	return shown
}

// Listed is what admin.allow says of an address.
func Listed(allow []string, address mail.Address) (role string, err error) {
	listed, err := (&serveSettings{AdminAllow: allow}).listed()
	if err != nil {
		return "", err
	}
	found, _ := listed(address)
	return string(found), nil
}

// Reload reads a file as serve does, lets change change it, and returns what a reload
// logs.
func Reload(ctx context.Context, file string, change func()) (logged string, err error) {
	var stderr bytes.Buffer
	a := newApp(strings.NewReader(""), &bytes.Buffer{}, &stderr, nil)
	a.args = []string{"serve", "--store", "memory:", "--config", file}
	if _, err := a.parse(ctx); err != nil {
		return "", err
	}
	p, problems := a.grammar.Serve.plan(a)
	if len(problems) > 0 {
		return "", fmt.Errorf("%v", problems)
	}
	p.logger(a)
	change()
	_, err = a.reload(ctx, p)
	return stderr.String(), err
}
