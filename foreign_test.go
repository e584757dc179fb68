package hallpass_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
	"github.com/hallpass-go/hallpass/memstore"
)

const djangoSecret = "another installation's key of the tests, 32 bytes and more"

// shop is another installation whose tokens an issuer honours.
type shop struct {
	t      *testing.T
	issuer *hallpass.Issuer
	store  hallpass.Store
	keys   *hallpass.Keyring
	key    django.Key
	now    time.Time
}

func foreignKey() hallpass.ForeignKey {
	return hallpass.ForeignKey{
		ID: "shop", Key: djangoSecret, Form: django.RequestToken{}, Scopes: []hallpass.Scope{"rsvp"},
		Modes: []hallpass.Mode{hallpass.ModePublic, hallpass.ModeRequest},
	}
}

func newShop(t *testing.T, keys ...hallpass.ForeignKey) *shop {
	t.Helper()
	s := &shop{t: t, store: memstore.New(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	own, err := hallpass.GenerateKey(hallpass.HS256)
	if err != nil {
		t.Fatal(err)
	}
	if s.keys, err = hallpass.NewKeyring(own); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if err := s.keys.AddForeign(k); err != nil {
			t.Fatal(err)
		}
	}
	s.issuer, err = hallpass.New(hallpass.Config{Keys: s.keys, Store: s.store, Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	if s.key, err = django.ParseKey(djangoSecret); err != nil {
		t.Fatal(err)
	}
	return s
}

// token is a JWT of the other installation, for a row that may not be there.
func (s *shop) token(row django.RequestTokenRow) hallpass.Token {
	s.t.Helper()
	if row.Mode == "" {
		row.Mode = hallpass.ModePublic
	}
	text, err := django.EncodeRequestToken(s.key, row, django.Release2_3)
	if err != nil {
		s.t.Fatal(err)
	}
	return hallpass.NewToken(text)
}

func (s *shop) record(e hallpass.Entry) {
	s.t.Helper()
	e.Recorded, e.Key = true, "shop"
	if err := s.store.Record(context.Background(), []hallpass.Entry{e}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) redeem(token hallpass.Token) error {
	_, err := s.issuer.RedeemOnce(context.Background(), hallpass.Presentation{Token: token, Scope: "rsvp"}, 200)
	return err
}

func wantRefusal(t *testing.T, what string, got error, want hallpass.Refusal) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestAForeignTokenIsHonouredByItsRow(t *testing.T) {
	t.Parallel()
	s := newShop(t, foreignKey())
	token := s.token(django.RequestTokenRow{ID: 41, Scope: "whatever", MaxUses: 1000})
	wantRefusal(t, "without a row", s.redeem(token), hallpass.RefusalUnknownPass)
	s.record(hallpass.Entry{Pass: hallpass.Pass{
		ID: django.RequestTokenID("shop", 41), Scope: "rsvp", Mode: hallpass.ModeRequest, Subject: "5", MaxUses: 2, Data: json.RawMessage(`{"a":1}`),
	}})
	entry, v, err := s.issuer.Check(context.Background(), hallpass.Presentation{Token: token, Scope: "rsvp"})
	if err != nil || entry.Subject != "5" || entry.Mode != hallpass.ModeRequest || string(entry.Data) != `{"a":1}` || entry.ID != "drt-shop-41" {
		t.Fatalf("%+v, %v", entry, err)
	}
	if !strings.Contains(string(v.Claims), `"max":1000`) {
		t.Errorf("claims %s", v.Claims)
	}
	for range 2 {
		if err := s.redeem(token); err != nil {
			t.Fatal(err)
		}
	}
	wantRefusal(t, "the third use", s.redeem(token), hallpass.RefusalSpent)
	page, err := s.issuer.Uses(context.Background(), hallpass.UseQuery{Pass: "drt-shop-41"})
	if err != nil || len(page.Uses) != 2 {
		t.Errorf("%d uses, %v", len(page.Uses), err)
	}
}

func TestTheTokenDecidesTimeAndTheRowTheRest(t *testing.T) {
	t.Parallel()
	s := newShop(t, foreignKey())
	row := hallpass.Pass{ID: "drt-shop-1", Scope: "rsvp", Mode: hallpass.ModePublic, MaxUses: 9, ExpiresAt: s.now.Add(-time.Hour)}
	s.record(hallpass.Entry{Pass: row})
	if err := s.redeem(s.token(django.RequestTokenRow{ID: 1, Scope: "rsvp", MaxUses: 1})); err != nil {
		t.Errorf("the row's end counted: %v", err)
	}
	wantRefusal(t, "an expired token", s.redeem(s.token(django.RequestTokenRow{ID: 1, Scope: "rsvp", Expires: s.now})), hallpass.RefusalExpired)
	wantRefusal(t, "an expired token without a row", s.redeem(s.token(django.RequestTokenRow{ID: 2, Scope: "rsvp", Expires: s.now})), hallpass.RefusalExpired)
	wantRefusal(t, "a token of the future", s.redeem(s.token(django.RequestTokenRow{ID: 1, Scope: "rsvp", Issued: s.now.Add(time.Second)})), hallpass.RefusalNotYetValid)
}

func TestAForeignKeyCarriesNothingButWhatItIsMarkedFor(t *testing.T) {
	t.Parallel()
	s := newShop(t, foreignKey())
	rows := []struct {
		name string
		pass hallpass.Pass
		want hallpass.Refusal
	}{
		{"another scope", hallpass.Pass{Scope: "admin", Mode: hallpass.ModePublic, MaxUses: 1}, hallpass.RefusalWrongScope},
		{"a scope of hallpass", hallpass.Pass{Scope: hallpass.ScopeAPI, Mode: hallpass.ModePublic, MaxUses: 1}, hallpass.RefusalWrongScope},
		{"another mode", hallpass.Pass{Scope: "rsvp", Mode: hallpass.ModeSession, Subject: "5", MaxUses: 1}, hallpass.RefusalWrongScope},
		{"request mode without a subject", hallpass.Pass{Scope: "rsvp", Mode: hallpass.ModeRequest, MaxUses: 1}, hallpass.RefusalWrongScope},
		{"a limit of nothing", hallpass.Pass{Scope: "rsvp", Mode: hallpass.ModePublic}, hallpass.RefusalSpent},
	}
	for i, row := range rows {
		row.pass.ID = django.RequestTokenID("shop", int64(i))
		s.record(hallpass.Entry{Pass: row.pass})
		token := s.token(django.RequestTokenRow{ID: int64(i), Scope: string(row.pass.Scope)})
		asked := hallpass.Presentation{Token: token, Scope: row.pass.Scope, Confirmed: true}
		_, err := s.issuer.RedeemOnce(context.Background(), asked, 200)
		wantRefusal(t, row.name, err, row.want)
		_, _, err = s.issuer.Check(context.Background(), asked)
		wantRefusal(t, row.name+", checked", err, row.want)
	}
}

func TestForeignPassesAreTakenBackAsAnyOther(t *testing.T) {
	t.Parallel()
	s := newShop(t, foreignKey())
	ctx := context.Background()
	for id, issued := range map[int64]time.Time{1: s.now.Add(-time.Hour), 2: {}, 3: s.now} {
		s.record(hallpass.Entry{Pass: hallpass.Pass{ID: django.RequestTokenID("shop", id), Scope: "rsvp", Mode: hallpass.ModePublic, MaxUses: 9, IssuedAt: issued}})
	}
	if err := s.issuer.RevokeGroup(ctx, hallpass.Revocation{Scope: "rsvp", Before: s.now.Add(-time.Minute)}); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "issued before", s.redeem(s.token(django.RequestTokenRow{ID: 1, Issued: s.now.Add(-time.Hour)})), hallpass.RefusalRevoked)
	wantRefusal(t, "no time of issue", s.redeem(s.token(django.RequestTokenRow{ID: 2})), hallpass.RefusalRevoked)
	last := s.token(django.RequestTokenRow{ID: 3, Issued: s.now})
	if err := s.redeem(last); err != nil {
		t.Errorf("issued after: %v", err)
	}
	if _, _, err := s.issuer.RevokeID(ctx, "drt-shop-3"); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "by its id", s.redeem(last), hallpass.RefusalRevoked)
	if _, _, err := s.issuer.RevokeID(ctx, "drt-shop-99"); !errors.Is(err, hallpass.ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
}

func TestAForeignPassGetsUsesButNoOtherEnd(t *testing.T) {
	t.Parallel()
	s := newShop(t, foreignKey())
	ctx := context.Background()
	s.record(hallpass.Entry{Used: 1, Pass: hallpass.Pass{ID: "drt-shop-1", Scope: "rsvp", Mode: hallpass.ModePublic, MaxUses: 1, ExpiresAt: s.now.Add(time.Hour)}})
	if _, err := s.issuer.Amend(ctx, "drt-shop-1", hallpass.Change{AddUses: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.redeem(s.token(django.RequestTokenRow{ID: 1})); err != nil {
		t.Error(err)
	}
	var field *hallpass.FieldError
	if _, err := s.issuer.Amend(ctx, "drt-shop-1", hallpass.Change{TTL: 2 * time.Hour}); !errors.As(err, &field) || field.Field != "ttl" {
		t.Errorf("another end: %v", err)
	}
}

func TestInstallationsDoNotMeet(t *testing.T) {
	t.Parallel()
	other := foreignKey()
	other.ID, other.Key = "club", "the key of the club's own Django, 32 bytes and more"
	s := newShop(t, foreignKey(), other)
	s.record(hallpass.Entry{Pass: hallpass.Pass{ID: django.RequestTokenID("club", 7), Scope: "rsvp", Mode: hallpass.ModePublic, MaxUses: 9}})
	wantRefusal(t, "the shop's token 7", s.redeem(s.token(django.RequestTokenRow{ID: 7})), hallpass.RefusalUnknownPass)
	key, err := django.ParseKey(other.Key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := django.EncodeRequestToken(key, django.RequestTokenRow{ID: 7, Mode: hallpass.ModePublic}, django.Release2_4)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.redeem(hallpass.NewToken(text)); err != nil {
		t.Errorf("the club's token 7: %v", err)
	}
}

func TestTheSameSecretUnderTwoFormatsKeepsThemApart(t *testing.T) {
	t.Parallel()
	links := foreignKey()
	links.ID, links.Form = "links", django.ExpiringLinks{}
	api := foreignKey()
	api.ID, api.Form = "api", django.ScopedToken{}
	s := newShop(t, links, api, foreignKey())
	row := hallpass.Pass{Scope: "rsvp", Mode: hallpass.ModePublic, MaxUses: 9}
	row.ID = django.ExpiringLinkID("links", 1)
	s.record(hallpass.Entry{Pass: row})
	wantRefusal(t, "the other format's row", s.redeem(s.token(django.RequestTokenRow{ID: 1})), hallpass.RefusalUnknownPass)
	row.ID = django.RequestTokenID("shop", 1)
	s.record(hallpass.Entry{Pass: row})
	if err := s.redeem(s.token(django.RequestTokenRow{ID: 1})); err != nil {
		t.Error(err)
	}
	text, err := django.EncodeScopedToken(s.key, django.ScopedTokenSpec{User: "5", MaxAge: time.Minute, Endpoints: []django.Endpoint{{Method: "GET", Paths: []string{"/a"}}}}, s.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := hallpass.Presentation{Token: hallpass.NewToken(text), Scope: "rsvp", Method: "GET", Path: "/a/b"}
	for range 3 {
		done, err := s.issuer.RedeemOnce(context.Background(), p, 200)
		if err != nil {
			t.Fatal(err)
		}
		if done.Entry.Subject != "5" || !strings.HasPrefix(done.Entry.ID, "dts-api-") || done.Entry.Recorded {
			t.Errorf("%+v", done.Entry)
		}
	}
	v, err := s.issuer.Verify(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.issuer.RevokePass(context.Background(), v.Pass); err != nil {
		t.Fatal(err)
	}
	_, err = s.issuer.RedeemOnce(context.Background(), p, 200)
	wantRefusal(t, "after it was taken back", err, hallpass.RefusalRevoked)
}

func TestForeignKeysStayWhenTheRingIsReloaded(t *testing.T) {
	t.Parallel()
	s := newShop(t, foreignKey())
	s.record(hallpass.Entry{Pass: hallpass.Pass{ID: "drt-shop-1", Scope: "rsvp", Mode: hallpass.ModePublic, MaxUses: 9}})
	own, err := hallpass.GenerateKey(hallpass.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := hallpass.NewKeyring(own)
	if err != nil {
		t.Fatal(err)
	}
	s.keys.Replace(fresh)
	token := s.token(django.RequestTokenRow{ID: 1})
	if err := s.redeem(token); err != nil {
		t.Errorf("after a reload: %v", err)
	}
	bad := foreignKey()
	bad.Scopes = nil
	if err := s.keys.SetForeign(foreignKey(), bad); err == nil {
		t.Error("a wrong key was taken")
	}
	if err := s.redeem(token); err != nil {
		t.Errorf("after a failed change: %v", err)
	}
	if err := s.keys.SetForeign(); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "without the key", s.redeem(token), hallpass.RefusalUnknownKey)
	for k := range s.keys.Keys {
		if k.ID() == "shop" {
			t.Error("a foreign key is among those that sign")
		}
	}
}

func TestForeignKeysAreJudged(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, field string
		edit        func(*hallpass.ForeignKey)
	}{
		{"no id", "id", func(k *hallpass.ForeignKey) { k.ID = "" }},
		{"an id with a hyphen, which would make ids ambiguous", "id", func(k *hallpass.ForeignKey) { k.ID = "a-b" }},
		{"no format", "form", func(k *hallpass.ForeignKey) { k.Form = nil }},
		{"no scopes", "scopes", func(k *hallpass.ForeignKey) { k.Scopes = nil }},
		{"a scope of hallpass", "scopes", func(k *hallpass.ForeignKey) { k.Scopes = []hallpass.Scope{"hallpass:api"} }},
		{"a scope of hallpass in capitals", "scopes", func(k *hallpass.ForeignKey) { k.Scopes = []hallpass.Scope{"Hallpass:api"} }},
		{"no modes", "modes", func(k *hallpass.ForeignKey) { k.Modes = nil }},
		{"an unknown mode", "modes", func(k *hallpass.ForeignKey) { k.Modes = []hallpass.Mode{"n"} }},
		{"a short key", "key", func(k *hallpass.ForeignKey) { k.Key = "short and secret" }},
		{"a published key, short ones allowed", "key", func(k *hallpass.ForeignKey) { k.Key, k.AllowShort = "secret", true }},
		{"a placeholder of the right length", "key", func(k *hallpass.ForeignKey) { k.Key = "django-insecure-" + strings.Repeat("x1", 30) }},
		{"a public key", "key", func(k *hallpass.ForeignKey) {
			k.Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILj25F8I8LTTeL0Z4ARkeBsEvyy2Q36UFibIQnKDYFUD"
		}},
	}
	ring, err := hallpass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		k := foreignKey()
		row.edit(&k)
		var field *hallpass.FieldError
		if err := ring.AddForeign(k); !errors.As(err, &field) || field.Field != row.field || strings.Contains(err.Error(), k.Key) && k.Key != "secret" {
			t.Errorf("%s: %v, want the field %s", row.name, err, row.field)
		}
	}
	short := foreignKey()
	short.Key, short.AllowShort = "short and secret", true
	if err := ring.AddForeign(short); err != nil {
		t.Errorf("a short key with the flag: %v", err)
	}
	if err := ring.AddForeign(foreignKey()); err == nil {
		t.Error("the same id twice was taken")
	}
	if text := fmt.Sprintf("%v %+v %d %s %#v", short, short, short, &short, short); strings.Contains(text, short.Key) {
		t.Errorf("printed: %s", text)
	}
	if text, err := json.Marshal(short); err != nil || strings.Contains(string(text), short.Key) {
		t.Errorf("marshalled: %s, %v", text, err)
	}
}

func TestVerifyLeavesWhatTheRowDecidesToTheStore(t *testing.T) {
	t.Parallel()
	s := newShop(t, foreignKey())
	p := hallpass.Presentation{Token: s.token(django.RequestTokenRow{ID: 1, Scope: "rsvp"})}
	if v, err := s.issuer.Verify(p); !errors.Is(err, hallpass.ErrUnavailable) || len(v.Claims) == 0 {
		t.Errorf("%v, claims %s", err, v.Claims)
	}
	p.Token = s.token(django.RequestTokenRow{ID: 1, Scope: "rsvp", Expires: s.now})
	_, err := s.issuer.Verify(p)
	wantRefusal(t, "expired", err, hallpass.RefusalExpired)
	p.Token = hallpass.NewToken(p.Token.Reveal() + "A")
	_, err = s.issuer.Verify(p)
	if reason, ok := hallpass.RefusalOf(err); !ok || reason.Public() != hallpass.RefusalBadSignature {
		t.Errorf("changed: %v", err)
	}
}

func TestARingOfAccessKeysTakesNoForeignOnes(t *testing.T) {
	t.Parallel()
	ring, err := hallpass.NewKeyringFor(hallpass.PurposeAccess)
	if err != nil {
		t.Fatal(err)
	}
	err = ring.SetForeign()
	var field *hallpass.FieldError
	if !errors.As(err, &field) || field.Field != "purpose" {
		t.Errorf("SetForeign = %v, want a FieldError of purpose", err)
	}
}
