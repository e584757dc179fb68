package cli

import (
	"cmp"
	"net/url"
	"reflect"
	"strings"

	"github.com/hallpass-go/hallpass/internal/adminui"
	"github.com/hallpass-go/hallpass/internal/server"
)

// usual are the values of settings that nobody made, where they are no other
// setting's.
var usual = map[string]string{
	"addr": defaultAddr, "prefix": "/.hallpass", "client_ip_header": "X-Forwarded-For",
	"session.idle": "2h", "session.life": "24h", "admin.serve": "on", "drain.delay": "1s", "drain.timeout": "30s",
	"log.level": "info", "log.format": "text", "identity.subject": "X-Hallpass-Subject", "identity.scope": "X-Hallpass-Scope",
	"identity.mode": "X-Hallpass-Mode", "identity.pass": "X-Hallpass-Pass", "identity.data": "X-Hallpass-Data",
}

// effective are the settings as the admin shows them, each with where it came from.
func (c *serveSettings) effective(a *app, cfg server.Config) []adminui.Setting {
	from := a.settings
	list := []adminui.Setting{
		{Name: "store", Value: plainDSN(a.grammar.Store), Origin: cmp.Or(from.origins["store"].String(), a.given("--store"))},
		{Name: "config", Value: from.file.name, Origin: cmp.Or(from.origins["config"].String(), a.given("--config"))},
	}
	_, fromVariable := a.env["HALLPASS_MASTER_KEY"]
	master := adminui.Setting{Name: "master_key", Value: "none", Origin: "default"}
	switch {
	case fromVariable:
		master = adminui.Setting{Name: "master_key", Secret: true, Origin: "HALLPASS_MASTER_KEY"}
	case a.grammar.MasterKeyFile != "":
		master = adminui.Setting{Name: "master_key", Secret: true, Origin: a.grammar.MasterKeyFile}
	}
	list = append(list, master)
	defaults := map[string]string{"base_url": cfg.BaseURL, "instance": "that of the store"}
	v := reflect.ValueOf(*c)
	for _, f := range settingFields() {
		name, field := f.Tag.Get("setting"), v.FieldByIndex(f.Index)
		s := adminui.Setting{Name: name, Origin: "default", Value: cmp.Or(usual[name], defaults[name])}
		if !field.IsZero() {
			s.Origin = cmp.Or(from.origins[name].String(), "command line")
			switch value := field.Interface().(type) {
			case string:
				if strings.HasSuffix(name, "store") { // a DSN
					value = plainDSN(value)
				}
				s.Value = value
			case []string:
				s.Value = strings.Join(value, ", ")
			}
		}
		if s.Secret = f.Tag.Get("secret") != "" && !field.IsZero(); s.Secret {
			s.Value = ""
		}
		list = append(list, s)
	}
	return list
}

// given tells whether a flag is on the command line.
func (a *app) given(flag string) string {
	for _, arg := range a.args {
		if arg == flag || strings.HasPrefix(arg, flag+"=") {
			return "command line"
		}
	}
	return "default"
}

// plainDSN takes what may be a secret out of a store's name.
func plainDSN(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "hidden, because it cannot be read"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	if u.RawQuery != "" {
		u.RawQuery = "hidden"
	}
	return u.String()
}
