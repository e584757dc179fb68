package hallpass_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
)

func TestATokenMadeAgainIsTheSamePass(t *testing.T) {
	t.Parallel()
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	key, err := hallpass.GenerateKeyFor(hallpass.PurposePass, hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(key, hallpass.KeyActive); err != nil {
		t.Fatal(err)
	}
	issuer, err := hallpass.New(hallpass.Config{Keys: ring, Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	spec := hallpass.Spec{Scope: "act", Mode: hallpass.ModeRequest, Subject: "42", MaxUses: 1, TTL: time.Hour}
	issued, err := issuer.Issue(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := issuer.Entry(ctx, issued.ID)
	if err != nil {
		t.Fatal(err)
	}
	again, err := issuer.TokenAgain(entry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Redeem(ctx, hallpass.Presentation{Token: again, Scope: "act"}); err != nil {
		t.Fatalf("the token made again: %v", err)
	}
	if _, err := issuer.Redeem(ctx, hallpass.Presentation{Token: issued.Token, Scope: "act"}); !errors.Is(err, hallpass.RefusalSpent) {
		t.Errorf("the first token after the other was used: %v, want spent", err)
	}
	revoked, err := issuer.RevokePass(ctx, entry.Pass)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.TokenAgain(revoked); !errors.Is(err, hallpass.ErrConflict) {
		t.Errorf("of a pass that was taken back: %v, want a conflict", err)
	}
	spec.Format = hallpass.FormatShort
	short, err := issuer.Issue(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	var field *hallpass.FieldError
	if _, err := issuer.TokenAgain(short.Entry); !errors.As(err, &field) {
		t.Errorf("of a short pass: %v, want a field error", err)
	}
	next, err := hallpass.GenerateKeyFor(hallpass.PurposePass, hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(ring.Add(next, hallpass.KeyActive), ring.Retire(key.ID())); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.TokenAgain(entry); !errors.As(err, &field) {
		t.Errorf("of a pass whose key was retired: %v, want a field error", err)
	}
}
