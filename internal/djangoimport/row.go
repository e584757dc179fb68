package djangoimport

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"
)

// tokenRow is a row of request_token_requesttoken as it stands there.
type tokenRow struct {
	id                           int64
	scope, mode, subject, data   sql.NullString
	issuedAt, notBefore, expires time.Time
	maxUses, used                int64
	// inactive says that its user is deactivated.
	inactive bool
	// logs and lastLog are the number of its log rows and the highest id among them.
	logs, lastLog int64
	// wrong says which column cannot be read.
	wrong string
}

func newTokenRow(c [13]sql.NullString) (t tokenRow) {
	r := columns{}
	t.id = r.number("id", c[0])
	t.scope, t.mode, t.subject, t.data = c[1], c[2], c[3], c[4]
	t.issuedAt, t.notBefore, t.expires = r.time("issued_at", c[5]), r.time("not_before_time", c[6]), r.time("expiration_time", c[7])
	t.maxUses, t.used = r.number("max_uses", c[8]), r.number("used_to_date", c[9])
	t.inactive = c[10].Valid && (c[10].String == "0" || c[10].String == "false")
	t.logs = r.number("logs", c[11])
	if c[12].Valid {
		t.lastLog = r.number("logs", c[12])
	}
	t.wrong = r.wrong
	return t
}

// logRow is a row of request_token_requesttokenlog.
type logRow struct {
	token, id      int64
	subject, agent string
	address        string
	status         sql.NullString
	at             time.Time
	wrong          string
}

func newLogRow(c [7]sql.NullString) (l logRow) {
	r := columns{}
	l.token, l.id = r.number("token_id", c[0]), r.number("id", c[1])
	l.subject, l.agent, l.status = c[2].String, c[3].String, c[4]
	if l.at = r.time("timestamp", c[5]); l.at.IsZero() && r.wrong == "" {
		r.wrong = "timestamp is missing"
	}
	l.address = c[6].String
	l.wrong = r.wrong
	return l
}

// columns reads texts and remembers the first that cannot be read.
type columns struct{ wrong string }

func (r *columns) number(name string, text sql.NullString) int64 {
	n, err := strconv.ParseInt(text.String, 10, 64)
	if err != nil && r.wrong == "" {
		r.wrong = name + " is no whole number"
	}
	return n
}

func (r *columns) time(name string, text sql.NullString) time.Time {
	if !text.Valid {
		return time.Time{}
	}
	t, err := parseTime(text.String)
	if err != nil && r.wrong == "" {
		r.wrong = name + " is no time"
	}
	return t
}

var errNoTime = errors.New("no time")

// parseTime reads a time as SQLite keeps it for Django, in UTC without saying so,
// or as PostgreSQL shows it.
func parseTime(text string) (time.Time, error) {
	text = strings.Replace(text, "T", " ", 1)
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			if t.Year() < 1970 || t.Year() > 9999 {
				return time.Time{}, errNoTime
			}
			return t.UTC().Truncate(time.Microsecond), nil
		}
	}
	return time.Time{}, errNoTime
}
