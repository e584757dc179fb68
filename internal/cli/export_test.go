package cli

import (
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

// Listed is what admin.allow says of an address.
func Listed(allow []string, address mail.Address) (role string, err error) {
	listed, err := (&serveSettings{AdminAllow: allow}).listed()
	if err != nil {
		return "", err
	}
	found, _ := listed(address)
	return string(found), nil
}
