// Package rights is what a pass for hallpass itself says that its bearer may issue,
// the same over the API and in the admin.
package rights

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/strictjson"
)

// Rights is what a pass may issue, as its data says:
// {"issue":{"scopes":["a"],"modes":["public"]}}.
type Rights struct {
	// AnyScope is any but hallpass's own; otherwise Scopes are those that may be.
	AnyScope bool
	Scopes   []string
	Modes    []hallpass.Mode
}

// Of reads them. What is absent is the default: any scope, public and request.
// What cannot be read gives no right at all, and a *hallpass.FieldError.
func Of(data json.RawMessage) (Rights, error) {
	r := Rights{AnyScope: true, Modes: []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest}}
	if len(data) == 0 {
		return r, nil
	}
	unreadable := &hallpass.FieldError{
		Field:  "data",
		Reason: `must be an object in which "issue", if it is there, has no more than "scopes" and "modes", lists of texts`,
	}
	err := strictjson.Members(string(data), func(name string, v strictjson.Value) error {
		if name != "issue" {
			return nil
		}
		return strictjson.Members(v.Raw, func(name string, v strictjson.Value) error {
			list, err := texts(v.Raw)
			switch {
			case err != nil:
				return err
			case name == "scopes":
				r.AnyScope, r.Scopes = false, list
			case name == "modes":
				r.Modes = nil
				for _, mode := range list {
					r.Modes = append(r.Modes, hallpass.Mode(mode))
				}
			default:
				return unreadable
			}
			return nil
		})
	})
	if err != nil {
		return Rights{}, unreadable
	}
	return r, nil
}

func texts(raw string) ([]string, error) {
	list := []string{}
	err := strictjson.Elements(raw, func(v strictjson.Value) error {
		text, ok := v.Text()
		if !ok {
			return strictjson.ErrSyntax
		}
		list = append(list, text)
		return nil
	})
	return list, err
}

// May reports whether a pass of this scope and mode may be issued. Hallpass's own
// scopes never may: they come from the command line, or of a pass that has them.
func (r Rights) May(scope hallpass.Scope, mode hallpass.Mode) bool {
	return !IsReserved(scope) && slices.Contains(r.Modes, mode) && (r.AnyScope || slices.Contains(r.Scopes, string(scope)))
}

// IsReserved reports whether a scope is one of hallpass's own.
func IsReserved(scope hallpass.Scope) bool {
	return strings.HasPrefix(string(scope), hallpass.ScopeReserved)
}

// Within reports whether every element of part is in whole.
func Within[T comparable](part, whole []T) bool {
	return !slices.ContainsFunc(part, func(v T) bool { return !slices.Contains(whole, v) })
}
