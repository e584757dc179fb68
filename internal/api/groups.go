package api

import (
	"context"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

// maxScan is how many passes are looked at to count them.
const maxScan = 100_000

type batchIn struct {
	Batch string `path:"batch" doc:"The label."`
}

// batchCounts counts the recorded passes of a batch, and the unrecorded ones that
// have been used or revoked: of the others the store knows nothing.
type batchCounts struct {
	Batch       string `json:"batch"`
	Issued      int    `json:"issued" doc:"How many the store knows."`
	Used        int    `json:"used" doc:"How many of them were used at least once."`
	Uses        int64  `json:"uses" doc:"How often in all."`
	Active      int    `json:"active"`
	NotYetValid int    `json:"not_yet_valid"`
	Expired     int    `json:"expired"`
	Spent       int    `json:"spent"`
	Revoked     int    `json:"revoked"`
	Complete    bool   `json:"complete" doc:"False when only the newest 100,000 were counted."`
}

func (a *API) batch(ctx context.Context, in *batchIn) (batchCounts, error) {
	out := batchCounts{Batch: in.Batch}
	now := a.issuer.Now()
	var err error
	out.Complete, err = a.scan(ctx, hallpass.EntryFilter{Batch: in.Batch}, func(e hallpass.Entry) {
		out.Issued++
		out.Uses += e.Used
		if e.Used > 0 {
			out.Used++
		}
		switch e.State(now) {
		case hallpass.StateActive:
			out.Active++
		case hallpass.StateNotYetValid:
			out.NotYetValid++
		case hallpass.StateExpired:
			out.Expired++
		case hallpass.StateSpent:
			out.Spent++
		case hallpass.StateRevoked:
			out.Revoked++
		}
	})
	return out, err
}

// scan visits the newest passes, to a bound, and tells whether those were all.
func (a *API) scan(ctx context.Context, f hallpass.EntryFilter, visit func(hallpass.Entry)) (all bool, err error) {
	f.Limit = hallpass.MaxPage
	for range maxScan / hallpass.MaxPage {
		page, err := a.issuer.Entries(ctx, f)
		if err != nil {
			return false, err
		}
		for _, e := range page.Entries {
			visit(e)
		}
		if f.After = page.Next; f.After == "" {
			return true, nil
		}
	}
	return false, nil
}

// revocationBody says what the passes have in common. An empty text is an error:
// a program's empty variable must not widen what is revoked.
type revocationBody struct {
	Scope        *string `json:"scope,omitempty"`
	Subject      *string `json:"subject,omitempty"`
	Batch        *string `json:"batch,omitempty"`
	IssuedBefore *string `json:"issued_before,omitempty" format:"date-time" doc:"Passes issued before it; now unless given."`
	DryRun       bool    `json:"dry_run,omitempty" doc:"Only count what would stop working."`
}

type revocationIn struct{ Body revocationBody }

// revocation is what was revoked, or would have been.
type revocation struct {
	Scope        string `json:"scope,omitempty"`
	Subject      string `json:"subject,omitempty"`
	Batch        string `json:"batch,omitempty"`
	IssuedBefore string `json:"issued_before"`
	DryRun       bool   `json:"dry_run"`
	Passes       *int   `json:"passes,omitempty" doc:"How many recorded passes a dry run found that would stop working; of the newest 100,000."`
}

func (a *API) revokeGroup(ctx context.Context, in *revocationIn) (revocation, error) {
	r, err := in.Body.revocation()
	if err != nil {
		return revocation{}, err
	}
	if r == (hallpass.Revocation{}) {
		return revocation{}, invalid("body", "must name a scope, a subject, a batch, or issued_before; together they must all hold")
	}
	if r.Before.IsZero() {
		r.Before = a.issuer.Now()
	}
	out := revocation{
		Scope: string(r.Scope), Subject: r.Subject, Batch: r.Batch,
		IssuedBefore: wire.Time(r.Before), DryRun: in.Body.DryRun,
	}
	if !out.DryRun {
		return out, a.issuer.RevokeGroup(ctx, r)
	}
	n, now := 0, a.issuer.Now()
	_, err = a.scan(ctx, hallpass.EntryFilter{Scope: r.Scope, Subject: r.Subject, Batch: r.Batch}, func(e hallpass.Entry) {
		state := e.State(now)
		if e.IssuedAt.Before(r.Before) && (state == hallpass.StateActive || state == hallpass.StateNotYetValid) {
			n++
		}
	})
	out.Passes = &n
	return out, err
}

func (b revocationBody) revocation() (r hallpass.Revocation, err error) {
	var before string
	for _, f := range []struct {
		name string
		from *string
		to   *string
	}{
		{"scope", b.Scope, (*string)(&r.Scope)}, {"subject", b.Subject, &r.Subject},
		{"batch", b.Batch, &r.Batch}, {"issued_before", b.IssuedBefore, &before},
	} {
		if f.from == nil {
			continue
		}
		if *f.to = *f.from; *f.to == "" {
			return r, invalid(f.name, "is empty; leave it out instead")
		}
	}
	if before != "" {
		r.Before, err = wire.ParseTime("issued_before", before)
	}
	return r, err
}
