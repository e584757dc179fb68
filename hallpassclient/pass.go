package hallpassclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

func passPath(id string) string { return "/v1/passes/" + url.PathEscape(id) }

// Pass returns a pass by its id; ErrNotFound when the server has no row for it.
func (c *Client) Pass(ctx context.Context, id string) (hallpass.Entry, error) {
	entry, _, err := c.pass(ctx, id)
	return entry, err
}

func (c *Client) pass(ctx context.Context, id string) (entry hallpass.Entry, etag string, err error) {
	var out wire.Pass
	err = c.do(ctx, call{method: http.MethodGet, path: passPath(id), out: &out, etag: &etag, repeatable: true})
	if err != nil {
		return entry, "", err
	}
	entry, err = entryOf(out)
	return entry, etag, err
}

// List returns passes newest first.
func (c *Client) List(ctx context.Context, f hallpass.EntryFilter) (hallpass.EntryPage, error) {
	query := queryOf(f.After, f.Limit)
	for name, text := range map[string]string{
		"scope": string(f.Scope), "subject": f.Subject, "batch": f.Batch, "mode": string(f.Mode), "state": string(f.State),
		"recipient": f.Recipient, "query": f.Query,
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	var out wire.Passes
	if err := c.do(ctx, call{method: http.MethodGet, path: "/v1/passes", query: query, out: &out, repeatable: true}); err != nil {
		return hallpass.EntryPage{}, err
	}
	page := hallpass.EntryPage{Next: nextOf(out.Next)}
	for _, p := range out.Passes {
		entry, err := entryOf(p)
		if err != nil {
			return page, err
		}
		page.Entries = append(page.Entries, entry)
	}
	return page, nil
}

// Uses returns uses newest first, of one pass or of all.
func (c *Client) Uses(ctx context.Context, q hallpass.UseQuery) (hallpass.UsePage, error) {
	query := queryOf(q.After, q.Limit)
	for name, text := range map[string]string{
		"pass": q.Pass, "subject": q.Subject, "state": string(q.State), "since": wire.Time(q.Since), "until": wire.Time(q.Until),
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	var out wire.Uses
	if err := c.do(ctx, call{method: http.MethodGet, path: "/v1/uses", query: query, out: &out, repeatable: true}); err != nil {
		return hallpass.UsePage{}, err
	}
	page := hallpass.UsePage{Next: nextOf(out.Next)}
	for _, u := range out.Uses {
		use, err := useOf(u)
		if err != nil {
			return page, err
		}
		page.Uses = append(page.Uses, use)
	}
	return page, nil
}

func queryOf(after string, limit int) url.Values {
	query := url.Values{}
	if after != "" {
		query.Set("after", after)
	}
	if limit != 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}

func nextOf(next *string) string {
	if next == nil {
		return ""
	}
	return *next
}

// Revoke takes a pass back. ErrNotFound means that no such pass can exist.
func (c *Client) Revoke(ctx context.Context, id string) (hallpass.Entry, error) {
	var out wire.Pass
	if err := c.do(ctx, call{method: http.MethodPost, path: passPath(id) + "/revoke", out: &out, repeatable: true}); err != nil {
		return hallpass.Entry{}, err
	}
	return entryOf(out)
}

// RevokeGroup takes passes back by what they have in common. Without Before it is
// not tried again by itself: each try would revoke what was issued since the last.
func (c *Client) RevokeGroup(ctx context.Context, r hallpass.Revocation) error {
	return c.do(ctx, call{method: http.MethodPost, path: "/v1/revocations", repeatable: !r.Before.IsZero(), body: struct {
		Scope        string `json:"scope,omitempty"`
		Subject      string `json:"subject,omitempty"`
		Batch        string `json:"batch,omitempty"`
		IssuedBefore string `json:"issued_before,omitempty"`
	}{string(r.Scope), r.Subject, r.Batch, wire.Time(r.Before)}})
}
