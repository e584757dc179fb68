package hallpassclient

import (
	"fmt"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// entryOf is wire.PassOf backwards. What only the store knows (refunds, the
// browser, until when the row is kept) is not there.
func entryOf(p wire.Pass) (hallpass.Entry, error) {
	e := hallpass.Entry{
		Pass: hallpass.Pass{
			ID: p.ID, Scope: hallpass.Scope(p.Scope), Mode: hallpass.Mode(p.Mode), Subject: p.Subject, Data: p.Data,
			Recipient: p.Recipient, Batch: p.Batch, MaxUses: p.MaxUses, Recorded: p.Recorded, Key: p.Key,
		},
		Used: p.Used,
	}
	for _, text := range p.Grants {
		g, err := hallpass.ParseGrant(text)
		if err != nil {
			return e, unreadable(err)
		}
		e.Grants = append(e.Grants, g)
	}
	for _, f := range []struct {
		text string
		to   *time.Time
	}{
		{p.IssuedAt, &e.IssuedAt}, {p.NotBefore, &e.NotBefore}, {p.ExpiresAt, &e.ExpiresAt}, {p.RevokedAt, &e.RevokedAt},
	} {
		t, err := timeOf(f.text)
		if err != nil {
			return e, err
		}
		*f.to = t
	}
	return e, nil
}

func timeOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, unreadable(err)
	}
	return t.UTC(), nil
}

func useOf(u wire.Use) (hallpass.Use, error) {
	at, err := timeOf(u.At)
	return hallpass.Use{
		ID: u.ID, Pass: u.Pass, Subject: u.Subject, At: at, ClientIP: u.ClientIP, UserAgent: u.UserAgent,
		Method: u.Method, Path: u.Path, Status: u.Status, State: u.State,
	}, err
}

func unreadable(cause error) error {
	return fmt.Errorf("%w: the answer cannot be read: %w", hallpass.ErrUnavailable, cause)
}
