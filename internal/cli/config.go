package cli

import (
	"reflect"
	"strings"

	"github.com/hallpass-go/hallpass/django"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say what is wrong with the settings, without starting anything."`
}

type configCheckCmd struct {
	serveSettings
}

// configCheck is the answer of config check.
type configCheck struct {
	OK       bool      `json:"ok"`
	Problems []problem `json:"problems"`
	Rules    int       `json:"rules"`
	Foreign  int       `json:"foreign_keys"`
	// Notes are about settings that are good, and may not do what was hoped for.
	Notes []string `json:"notes,omitempty"`
	// Settings are those of serve that are not at their default, in the sections
	// the file has.
	Settings map[string]any `json:"settings"`
}

// settingJSON is a setting that somebody made, and where.
type settingJSON struct {
	Value any    `json:"value"`
	From  string `json:"from"`
}

// withheld stands for a secret that was given.
const withheld = "(secret)"

// given returns what is not at its default, without secrets.
func (c *serveSettings) given(from *settings) map[string]any {
	all := map[string]any{}
	v := reflect.ValueOf(*c)
	for _, f := range settingFields() {
		value := v.FieldByIndex(f.Index)
		if value.IsZero() {
			continue
		}
		name := f.Tag.Get("setting")
		shown := settingJSON{value.Interface(), orText(from.origins[name].String(), "command line")}
		switch {
		case f.Tag.Get("secret") != "":
			shown.Value = withheld
		case f.Tag.Get("placeholder") == "URL":
			shown.Value = withoutUser(value.Interface())
		}
		put(all, name, shown)
	}
	return all
}

// withoutUser withholds what stands before the host of URLs. No setting may have a
// user there, but what somebody tried is shown beside the complaint.
func withoutUser(value any) any {
	switch v := value.(type) {
	case string:
		i := strings.LastIndexByte(v, '@')
		if i < 0 {
			return v
		}
		scheme, _, found := strings.Cut(v[:i], "://")
		if !found {
			return withheld + v[i:]
		}
		return scheme + "://" + withheld + v[i:]
	case []string:
		shown := make([]string, len(v))
		for i, text := range v {
			shown[i], _ = withoutUser(text).(string)
		}
		return shown
	}
	return value
}

// put puts a setting into its section, or, where that name is a setting itself,
// beside it.
func put(all map[string]any, name string, value settingJSON) {
	at, rest := all, name
	for {
		section, inner, found := strings.Cut(rest, ".")
		if !found {
			at[rest] = value
			return
		}
		if at[section] == nil {
			at[section] = map[string]any{}
		}
		next, isSection := at[section].(map[string]any)
		if !isSection {
			at[rest] = value
			return
		}
		at, rest = next, inner
	}
}

func (c *configCheckCmd) Run(a *app) error {
	p, problems := c.plan(a)
	result := configCheck{OK: len(problems) == 0, Problems: append([]problem{}, problems...), Rules: len(p.Rules), Foreign: len(p.ForeignKeys), Settings: c.given(a.settings)}
	for _, key := range p.ForeignKeys {
		if _, links := key.Form.(django.ExpiringLinks); links {
			result.Notes = append(result.Notes, "foreign key "+key.ID+": no command imports the rows of django-jwt-expiringlinks; "+
				"a link is unknown_pass until a Go program has made its row (django.ExpiringLinkID)")
		}
	}
	result.Notes = append(result.Notes, a.settings.file.shadows(p, problems)...)
	if !a.grammar.JSON {
		for _, note := range result.Notes {
			a.notice("%s", note)
		}
	}
	switch {
	case a.grammar.JSON:
		if err := a.print(result); err != nil {
			return err
		}
	case result.OK && result.Foreign > 0:
		return a.line("The settings are good; rules: %d, foreign keys: %d.", result.Rules, result.Foreign)
	case result.OK:
		return a.line("The settings are good; rules: %d.", result.Rules)
	default:
		var lines strings.Builder
		for _, problem := range problems {
			lines.WriteString("hallpass: " + problem.String() + "\n")
		}
		if _, err := a.stderr.Write([]byte(lines.String())); err != nil {
			return err
		}
	}
	if !result.OK {
		return exitStatus(2)
	}
	return nil
}
