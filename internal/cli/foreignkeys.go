package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/internal/keytext"
)

// foreignSetting is an entry of the setting "foreign_keys", a list that only the
// file can hold.
type foreignSetting struct {
	ID         string   `yaml:"id"`
	Format     string   `yaml:"format"`
	Key        string   `yaml:"key"`
	KeyFile    string   `yaml:"key_file"`
	Scopes     []string `yaml:"scopes"`
	Modes      []string `yaml:"modes"`
	Salt       string   `yaml:"salt"`
	Site       string   `yaml:"site"`
	AllowShort bool     `yaml:"allow_short"`
}

var foreignFormats = []string{"django-request-token", "django-jwt-expiringlinks", "drf-tmp-scoped-token"}

// foreignKeys reads the setting "foreign_keys", and the files that it names. What is
// wrong goes to the file's problems, with its line.
func (f *settingsFile) foreignKeys() []hallpass.ForeignKey {
	node := f.raw["foreign_keys"]
	switch {
	case node == nil || node.Tag == "!!null":
		return nil
	case node.Kind != yaml.SequenceNode:
		f.wrong(node, "foreign_keys", "foreign_keys must be a list")
		return nil
	}
	ring, err := hallpass.NewKeyring()
	if err != nil {
		return nil
	}
	var keys []hallpass.ForeignKey
	for i, item := range node.Content {
		name := "foreign_keys." + strconv.Itoa(i)
		var s foreignSetting
		at, ok := f.members(name, item, &s, "{id: shop, format: django-request-token, key_file: FILE, scopes: [rsvp], modes: [public]}")
		if !ok {
			continue
		}
		key, err := s.key()
		if err == nil {
			err = ring.AddForeign(key)
		}
		field, isField := errors.AsType[*hallpass.FieldError](err)
		if err == nil || !isField {
			keys = append(keys, key)
			continue
		}
		member := field.Field
		if member == "key" && at["key"] == nil && at["key_file"] != nil {
			member = "key_file"
		}
		where := item
		if at[member] != nil {
			where = at[member]
		}
		f.wrong(where, name+"."+member, "%s.%s: %s", name, member, field.Reason)
	}
	return keys
}

func (s foreignSetting) key() (k hallpass.ForeignKey, err error) {
	k = hallpass.ForeignKey{ID: s.ID, Key: s.Key, AllowShort: s.AllowShort}
	for _, scope := range s.Scopes {
		k.Scopes = append(k.Scopes, hallpass.Scope(scope))
	}
	for _, mode := range s.Modes {
		k.Modes = append(k.Modes, hallpass.Mode(mode))
	}
	switch s.Format {
	case "django-request-token":
		k.Form = django.RequestToken{}
	case "django-jwt-expiringlinks":
		k.Form = django.ExpiringLinks{Site: s.Site}
	case "drf-tmp-scoped-token":
		k.Form = django.ScopedToken{Salt: s.Salt}
	}
	switch {
	case !slices.Contains(foreignFormats, s.Format):
		return k, fieldError("format", "must be one of %s", strings.Join(foreignFormats, ", "))
	case s.Salt != "" && s.Format != "drf-tmp-scoped-token":
		return k, fieldError("salt", "says nothing about %s", s.Format)
	case s.Site != "" && s.Format != "django-jwt-expiringlinks":
		return k, fieldError("site", "says nothing about %s", s.Format)
	case s.Key == "" && s.KeyFile == "":
		return k, fieldError("key_file", "is required, or key: the SECRET_KEY")
	case s.Key != "" && s.KeyFile != "":
		return k, fieldError("key_file", "and key say the same thing; give one of them")
	case s.KeyFile != "":
		text, err := readFile(s.KeyFile, keytext.MaxSize)
		if err != nil {
			return k, fieldError("key_file", "%v", err)
		}
		k.Key = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	}
	return k, nil
}

// foreignKeys are those that the settings name, for commands that only need them to
// read a pasted token.
func (a *app) foreignKeys() ([]hallpass.ForeignKey, error) {
	before := len(a.settings.file.problems)
	keys := a.settings.file.foreignKeys()
	if problems := a.settings.file.problems[before:]; len(problems) > 0 {
		return nil, problems[0].err()
	}
	return keys, nil
}
