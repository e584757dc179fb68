package login_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/memstore"
)

func blocks(t *testing.T, e *engine) []login.Block {
	t.Helper()
	all, err := e.Blocks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnAccountThatIsTurnedAwayIsListedAndLifted(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	guess(t, e, "hugo@example.com", 12)
	begun, code, _ := e.begin("hugo@example.com")
	if _, err := e.enter(begun.Flow, code, from(1)); err == nil {
		t.Fatal("an account that must wait was let in")
	}
	all := blocks(t, e)
	if len(all) != 1 || all[0].What != "account" || all[0].Name != "hugo@example.com" || all[0].Failures < 5 || !all[0].Until.After(e.clock.Now()) {
		t.Fatalf("blocks: %+v", all)
	}
	if err := e.Unblock(t.Context(), "account", "hugo@example.com"); err != nil {
		t.Fatal(err)
	}
	if all := blocks(t, e); len(all) != 0 {
		t.Errorf("after lifting: %+v", all)
	}
	if err := e.Unblock(t.Context(), "account", "hugo@example.com"); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("lifting twice: %v", err)
	}
	if _, err := e.enter(begun.Flow, code, from(1)); err != nil {
		t.Errorf("the right code at once after lifting: %v", err)
	}
}

func TestABlockThatALinkLiftedIsListedNoMore(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	guess(t, e, "hugo@example.com", 12)
	begun, code, link := e.begin("hugo@example.com")
	if _, err := e.enter(begun.Flow, code, from(1)); err == nil || len(blocks(t, e)) != 1 {
		t.Fatalf("an account that must wait: %v", err)
	}
	if _, err := e.ByLink(t.Context(), link, from(1)); err != nil {
		t.Fatal(err)
	}
	if all := blocks(t, e); len(all) != 0 {
		t.Errorf("after the link: %+v", all)
	}
}

func TestNetworksThatAreTurnedAwayAreListedAndLifted(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) { c.Limits.NetworkFailures = 3 })
	for i := range 61 {
		begun, err := e.Begin(t.Context(), login.Start{Email: fmt.Sprintf("user%d@example.com", i), Client: from(7)})
		if err == nil && i < 5 {
			_, _ = e.enter(begun.Flow, "nothing", from(8))
		}
	}
	names := map[string]string{}
	for _, b := range blocks(t, e) {
		names[b.What] = b.Name
		if b.Until.Before(e.clock.Now()) || b.Until.After(e.clock.Now().Add(time.Hour)) {
			t.Errorf("%s ends %s", b.What, b.Until)
		}
	}
	if len(names) != 2 || names["network"] != "10.0.0.8/32" || names["network_sends"] != "10.0.0.7/32" {
		t.Fatalf("blocks: %v", names)
	}
	for what, name := range names {
		if err := e.Unblock(t.Context(), what, name); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if all := blocks(t, e); len(all) != 0 {
		t.Errorf("after lifting: %+v", all)
	}
	if _, err := e.Begin(t.Context(), login.Start{Email: "late@example.com", Client: from(7)}); err != nil {
		t.Errorf("after lifting: %v", err)
	}
	if err := e.Unblock(t.Context(), "global", ""); err == nil {
		t.Error("the fuse for everybody was lifted")
	}
}

func TestNobodyFillsTheListOfBlocks(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	e := engineOver(t, store, &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, func(c *login.Config) { c.Limits.NetworkSends = 1 })
	for i := range 520 {
		for range 2 {
			_, _ = e.Begin(t.Context(), login.Start{Email: "hugo@example.com", Client: from(i)})
		}
	}
	cells, err := store.Cells(t.Context(), "login-blocked", 0, e.clock.Now())
	if err != nil || len(cells) != 500 {
		t.Errorf("%d blocks are kept, %v; want 500", len(cells), err)
	}
	if all := blocks(t, e); len(all) != 200 {
		t.Errorf("%d are listed, want 200", len(all))
	}
}
