package adminui

import (
	"html/template"
	"net/url"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/find"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// filters are what a list's form asks for, by the names in its URL.
type filters map[string]string

// shortest is the length from which what was pasted is a signed token, or a link: a
// subject may well look like a short one.
const shortest = 40

// read takes the known names out of a query; a token that somebody put there is
// not looked at, for it would stand in every link of the page.
func read(query url.Values, names ...string) filters {
	f := filters{}
	for _, name := range names {
		if text := query.Get(name); text != "" && !find.Holds(text) {
			f[name] = text
		}
	}
	return f
}

// Query is the filters as a URL's query, with pairs of a name and a value set in it.
// Encode leaves nothing in it that could end an attribute or a query.
func (f filters) Query(pairs ...string) template.URL {
	q := url.Values{}
	for name, value := range f {
		q.Set(name, value)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Del(pairs[i])
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return template.URL(q.Encode())
}

// Any reports whether something is asked for but the order.
func (f filters) Any() bool {
	for name := range f {
		if name != "sort" {
			return true
		}
	}
	return false
}

// timeOf reads a time as a form's field or a program writes it; the field has no
// zone and is UTC, as everything here.
func timeOf(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return at, nil
		}
	}
	return wire.ParseTime(field, text)
}

// oneOf refuses what no list of ours has.
func oneOf[T ~string](field, text string, known ...T) (T, error) {
	if text != "" && !slices.Contains(known, T(text)) {
		return "", &hallpass.FieldError{Field: field, Reason: "is none of those there are"}
	}
	return T(text), nil
}

var (
	modes  = []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest, hallpass.ModeSession}
	states = []hallpass.State{hallpass.StateActive, hallpass.StateNotYetValid, hallpass.StateExpired, hallpass.StateSpent, hallpass.StateRevoked}
	// useStates leaves out none: an unknown use is a pending one that grew old.
	useStates = []hallpass.UseState{hallpass.UsePending, hallpass.UseSettled, hallpass.UseRefunded, hallpass.UseForwarded, hallpass.UseUnknown}
)
