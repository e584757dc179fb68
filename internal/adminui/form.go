package adminui

import (
	"errors"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// form is a filled form, with what is wrong with it.
type form struct {
	// ID begins the ids of its elements, so that a page may have two.
	ID     string
	Values map[string]string
	// wrong says by field what must be put right, in the order in which it was found.
	wrong []wrong
}

// wrong is what must be put right in one field.
type wrong struct{ ID, Field, Text string }

// blame writes down that a field is wrong. What is no *hallpass.FieldError is
// returned: it is not the form's.
func (f *form) blame(err error) error {
	field, ok := errors.AsType[*hallpass.FieldError](err)
	if !ok {
		return err
	}
	text := sentence(field)
	if field.Field == "file" || strings.HasPrefix(field.Field, columnPrefix) {
		text = field.Reason // which names it already
	}
	text = look.Visible(text)
	first, size := utf8.DecodeRuneInString(text)
	f.wrong = append(f.wrong, wrong{f.ID + "-wrong-" + field.Field, field.Field, string(unicode.ToUpper(first)) + text[size:]})
	return nil
}

// read reads the fields of a request and blames each that cannot be read. Its errors
// are *hallpass.FieldError, all of them the form's.
func (f *form) read(fields []string, r *wire.Request) {
	for _, field := range fields {
		if err := r.SetText(field, f.Values[field]); err != nil {
			_ = f.blame(err)
		}
	}
}

// Wrong is what is wrong with a field; empty when nothing is.
func (f form) Wrong(field string) wrong {
	for _, w := range f.wrong {
		if w.Field == field {
			return w
		}
	}
	return wrong{}
}

// First is what is wrong first of all.
func (f form) First() wrong {
	if len(f.wrong) == 0 {
		return wrong{}
	}
	return f.wrong[0]
}

// Count is how much is wrong.
func (f form) Count() int { return len(f.wrong) }

// Mark is the attributes of a field's element: what describes it, and, where it is
// wrong, that it is. The first that is wrong has the focus. hint is the id of what
// describes it anyway; field and hint are words of a page of ours, never of a request.
func (f form) Mark(field, hint string) template.HTMLAttr {
	w := f.Wrong(field)
	described := strings.TrimSpace(hint + " " + w.ID)
	var marks []string
	if described != "" {
		marks = append(marks, `aria-describedby="`+described+`"`)
	}
	if w.ID != "" {
		marks = append(marks, `aria-invalid="true"`)
		if f.First().Field == field {
			marks = append(marks, "autofocus")
		}
	}
	return template.HTMLAttr(strings.Join(marks, " "))
}

// Open reports whether one of the fields is filled or wrong, and so must be seen.
func (f form) Open(fields ...string) bool {
	for _, field := range fields {
		if f.Values[field] != "" || f.Wrong(field).ID != "" {
			return true
		}
	}
	return false
}
