package adminui

import (
	"bufio"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// export is a list on its way into a file, a page at a time: nothing of it is kept.
type export struct {
	// head and row are for CSV, line for JSON Lines.
	head []string
	// next returns a page and the cursor behind it.
	next func(after string) (page []exported, cursor string, err error)
}

type exported struct {
	row  []string
	line any
}

// send streams the list. It fails before the first byte, or cuts the connection: a
// file that ends too early must be seen to.
func (u *UI) send(v *visit, name string, detail string, e export) error {
	format := v.URL.Query().Get("format")
	if format == "" {
		format = "csv"
	}
	if format != "csv" && format != "jsonl" {
		return &hallpass.FieldError{Field: "format", Reason: "must be csv or jsonl"}
	}
	page, cursor, err := e.next("")
	if err != nil {
		return err
	}
	if v.Method == http.MethodHead {
		return nil
	}
	if err := u.act(v, hallpass.Event{Action: name + ".export", Detail: detail}); err != nil {
		return err
	}
	h := v.w.Header()
	kind := "text/csv; charset=utf-8"
	if format == "jsonl" {
		kind = "application/x-ndjson"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`.`+format+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	out := bufio.NewWriterSize(v.w, 64<<10)
	table := csv.NewWriter(out)
	if format == "csv" {
		_ = table.Write(e.head)
	}
	for {
		for _, item := range page {
			if format == "csv" {
				err = table.Write(safeCells(item.row))
			} else {
				err = wire.Write(out, item.line)
			}
			if err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		table.Flush()
		if cursor == "" {
			break
		}
		err := out.Flush()
		if err == nil {
			err = u.stillIn(v)
		}
		if err == nil {
			page, cursor, err = e.next(cursor)
		}
		if err != nil {
			u.cfg.Logger.WarnContext(v.Context(), "an export broke off", "what", name, "error", err)
			panic(http.ErrAbortHandler)
		}
	}
	if out.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (u *UI) exportPasses(v *visit) error {
	f := read(v.URL.Query(), passFilters...)
	filter, err := entryFilter(f)
	if err != nil {
		return err
	}
	filter.Limit = hallpass.MaxPage
	return u.send(v, "passes", string(f.Query()), export{
		head: []string{"id", "scope", "mode", "subject", "recipient", "batch", "issued_at", "not_before", "expires_at", "max_uses", "used", "state", "revoked_at", "grants", "permits"},
		next: func(after string) (rows []exported, cursor string, err error) {
			filter.After = after
			page, err := u.issuer.Entries(v.Context(), filter)
			now := u.issuer.Now()
			for _, e := range page.Entries {
				p := wire.PassOf(e, now)
				rows = append(rows, exported{line: p, row: []string{
					p.ID, p.Scope, p.Mode, p.Subject, p.Recipient, p.Batch, p.IssuedAt, p.NotBefore, p.ExpiresAt,
					strconv.FormatInt(p.MaxUses, 10), strconv.FormatInt(p.Used, 10), string(p.State), p.RevokedAt,
					strings.Join(p.Grants, "; "), permits(e.Pass, now),
				}})
			}
			return rows, page.Next, err
		},
	})
}

func (u *UI) exportUses(v *visit) error {
	f := read(v.URL.Query(), useFilters...)
	q, err := useQuery(f)
	if err != nil {
		return err
	}
	q.Limit = hallpass.MaxPage
	return u.send(v, "uses", string(f.Query()), export{
		head: []string{"id", "pass", "subject", "at", "client_ip", "user_agent", "method", "path", "status", "state"},
		next: func(after string) (rows []exported, cursor string, err error) {
			q.After = after
			page, err := u.issuer.Uses(v.Context(), q)
			for _, use := range wire.UsesOf(page.Uses) {
				rows = append(rows, exported{line: use, row: []string{
					use.ID, use.Pass, use.Subject, use.At, use.ClientIP, use.UserAgent, use.Method, use.Path,
					strconv.Itoa(use.Status), string(use.State),
				}})
			}
			return rows, page.Next, err
		},
	})
}

// eventLine is an event as an export has it.
type eventLine struct {
	ID        string `json:"id"`
	At        string `json:"at"`
	Kind      string `json:"kind"`
	Pass      string `json:"pass,omitempty"`
	Scope     string `json:"scope,omitempty"`
	Subject   string `json:"subject,omitempty"`
	Batch     string `json:"batch,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Actor     string `json:"actor,omitempty"`
	Action    string `json:"action,omitempty"`
	Detail    string `json:"detail,omitempty"`
	ClientIP  string `json:"client_ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`
}

func (u *UI) exportEvents(v *visit) error {
	f := read(v.URL.Query(), eventFilters...)
	filter, err := eventFilter(f)
	if err != nil {
		return err
	}
	filter.Limit = hallpass.MaxPage
	return u.send(v, "events", string(f.Query()), export{
		head: []string{"id", "at", "kind", "pass", "scope", "subject", "batch", "reason", "actor", "action", "detail", "client_ip", "user_agent", "method", "path"},
		next: func(after string) (rows []exported, cursor string, err error) {
			filter.After = after
			page, err := u.issuer.Events(v.Context(), filter)
			for _, e := range page.Events {
				line := eventLine{
					e.ID, wire.Time(e.At), string(e.Kind), e.Pass, string(e.Scope), e.Subject, e.Batch, string(e.Reason),
					e.Actor, e.Action, e.Detail, e.ClientIP, e.UserAgent, e.Method, e.Path,
				}
				rows = append(rows, exported{line: line, row: []string{
					line.ID, line.At, line.Kind, line.Pass, line.Scope, line.Subject, line.Batch, line.Reason,
					line.Actor, line.Action, line.Detail, line.ClientIP, line.UserAgent, line.Method, line.Path,
				}})
			}
			return rows, page.Next, err
		},
	})
}
