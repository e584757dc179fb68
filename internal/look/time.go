package look

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// Relative says when at is, seen from now: "in 3 days", "2 minutes ago".
func (t Texts) Relative(now, at time.Time) string {
	const (
		day  = 24 * time.Hour
		year = 8766 * time.Hour
		most = 250 * year // leaves room for rounding below the longest Duration
	)
	d, direction := min(max(at.Sub(now), -most), most), "in"
	if d < 0 {
		d, direction = -d, "ago"
	}
	// Each unit runs until its rounding is small beside the number: 90 minutes
	// are never told as 2 hours.
	for _, u := range []struct {
		name        string
		size, until time.Duration
	}{
		{"minutes", time.Minute, 90 * time.Minute},
		{"hours", time.Hour, 36 * time.Hour},
		{"days", day, 60 * day},
		{"months", 730 * time.Hour, 24 * 730 * time.Hour},
		{"years", year, most},
	} {
		if d < 45*time.Second {
			break
		}
		n := int64((d + u.size/2) / u.size)
		if time.Duration(n)*u.size <= u.until {
			return t.Count("time."+u.name+"."+direction, max(1, n))
		}
	}
	if direction == "in" && d > 0 {
		return t["time.soon"]
	}
	return t["time.now"]
}

// Exact says when at is in full, in its own location.
func (t Texts) Exact(at time.Time) string { return t.date("date.exact", "", at) }

// Brief says the same with the names of day and month cut short.
func (t Texts) Brief(at time.Time) string { return t.date("date.short", ".short", at) }

func (t Texts) date(id, names string, at time.Time) string {
	clock := at.Format("15:04")
	if at.Second() != 0 {
		clock = at.Format("15:04:05")
	}
	return t.Text(id,
		"weekday", t.word("date.weekdays"+names, int(at.Weekday())),
		"month", t.word("date.months"+names, int(at.Month())-1),
		"day", strconv.Itoa(at.Day()), "year", strconv.Itoa(at.Year()),
		"time", clock, "zone", at.Format("MST"))
}

// word returns one word of a text that lists them; too short a list gives none.
func (t Texts) word(id string, n int) string {
	words := strings.Fields(t[id])
	if n >= len(words) {
		return ""
	}
	return words[n]
}

// When is Relative as a <time> element, with the exact time, in now's location,
// as its title and the machine form as its datetime. The zero time is a dash.
func (t Texts) When(now, at time.Time) template.HTML {
	if at.IsZero() {
		return "–"
	}
	at = at.In(now.Location())
	return timeElement(at, t.Exact(at), t.Relative(now, at))
}

// On is When the other way round: the exact time is shown in brief, the relative
// one is the title.
func (t Texts) On(now, at time.Time) template.HTML {
	if at.IsZero() {
		return "–"
	}
	at = at.In(now.Location())
	return timeElement(at, t.Relative(now, at), t.Brief(at))
}

func timeElement(at time.Time, title, text string) template.HTML {
	return template.HTML(`<time datetime="` + template.HTMLEscapeString(at.Format(time.RFC3339)) +
		`" title="` + template.HTMLEscapeString(title) + `">` + template.HTMLEscapeString(text) + `</time>`)
}
