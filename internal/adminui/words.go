package adminui

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

// permits says in one sentence what a pass permits: "May unsubscribe as user 42,
// once, until Friday 18:00."
func permits(p hallpass.Pass, now time.Time) string { return permitsAs(p, now, asIs) }

// permitsHTML is permits for pages.
func permitsHTML(p hallpass.Pass, now time.Time) template.HTML {
	return template.HTML(permitsAs(p, now, func(foreign string) string { return string(look.Foreign(foreign)) }))
}

// shown is how a sentence has what others wrote; our own words need no escaping.
type shown func(foreign string) string

func asIs(foreign string) string { return foreign }

func permitsAs(p hallpass.Pass, now time.Time, show shown) string {
	if p.Scope == "" {
		return "Nothing is known of it but its id."
	}
	parts := []string{doing(p, show), often(p.MaxUses)}
	if p.Target != "" {
		parts = append(parts, "only at "+show(p.Target))
	}
	if now.Before(p.NotBefore) {
		parts = append(parts, "from "+day(p.NotBefore, now))
	}
	if p.ExpiresAt.IsZero() {
		parts = append(parts, "without an end")
	} else {
		parts = append(parts, "until "+day(p.ExpiresAt, now))
	}
	return strings.Join(parts, ", ") + "."
}

func doing(p hallpass.Pass, show shown) string {
	verb := verbOf(p.Scope, show)
	if len(p.Grants) > 0 && p.Mode != hallpass.ModeSession {
		verb = "use " + reach(p.Grants, show)
	}
	switch p.Mode {
	case hallpass.ModeSession:
		return "May sign in as " + who(p.Subject, show) + " for “" + verb + "”"
	case hallpass.ModeRequest:
		return "May " + verb + " as " + who(p.Subject, show)
	}
	if p.Subject != "" {
		return "Anyone who has it may " + verb + " on behalf of " + who(p.Subject, show)
	}
	return "Anyone who has it may " + verb
}

// verbOf makes words of a scope: "newsletter:unsubscribe" is "unsubscribe
// (newsletter)".
func verbOf(scope hallpass.Scope, show shown) string {
	spaced := strings.NewReplacer("_", " ", "-", " ")
	text := string(scope)
	if i := strings.LastIndexAny(text, ":/."); i > 0 && i < len(text)-1 {
		return show(spaced.Replace(text[i+1:])) + " (" + show(spaced.Replace(strings.ReplaceAll(text[:i], ":", " "))) + ")"
	}
	return show(spaced.Replace(text))
}

func who(subject string, show shown) string {
	if strings.Contains(subject, "@") {
		return show(subject)
	}
	return "user " + show(subject)
}

// shownAgain says to an operator whether the link of a new pass can be shown again
// later.
func shownAgain(op Operator, p hallpass.Pass, short bool) string {
	switch {
	case short:
		return "The link is shown once: only the hash of a short token is kept."
	case !op.MayShow(p):
		return "The link is shown to you once: those of session passes are shown again to admins alone."
	case !p.Recorded:
		return "The link is shown once: nothing is kept of an unrecorded pass before its first use."
	}
	return "The link can be shown again on the page of the pass, for as long as the pass works and its key is honoured."
}

func often(most int64) string {
	switch most {
	case 0:
		return "as often as needed"
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", most)
}

// reach says what grants open.
func reach(grants []hallpass.Grant, show shown) string {
	var said []string
	for n, g := range grants {
		if n == 3 {
			said = append(said, fmt.Sprintf("%d more", len(grants)-n))
			break
		}
		text := show(g.Method + " " + g.Path)
		if !g.Exact {
			text += " and below"
		}
		said = append(said, text)
	}
	return "only " + strings.Join(said, "; ")
}

// day says a time as near as it is: a weekday within the week, a date beyond.
func day(at, now time.Time) string {
	at = at.In(now.Location())
	clock := at.Format("15:04")
	switch d := at.Sub(now); {
	case d < 0 || d >= 6*24*time.Hour:
		return at.Format("2 January 2006") + " " + clock
	case at.YearDay() == now.YearDay():
		return "today " + clock
	}
	return at.Format("Monday") + " " + clock
}
