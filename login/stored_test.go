package login_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/login"
	"github.com/hallpass-go/hallpass/mail"
	"github.com/hallpass-go/hallpass/memstore"
)

// witness is a store that remembers every cell that was ever written to it.
type witness struct {
	hallpass.Store
	mu    sync.Mutex
	cells []hallpass.Cell
}

func (w *witness) Swap(ctx context.Context, c hallpass.Cell, now time.Time) (hallpass.Cell, error) {
	written, err := w.Store.Swap(ctx, c, now)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cells = append(w.cells, written)
	}
	return written, err
}

// texts are the keys and values of all cells, and whatever their JSON holds: each
// text as it is and as the bytes that it may stand for.
func (w *witness) texts() (all [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var dig func(v any)
	dig = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				dig(name)
				dig(inner)
			}
		case []any:
			for _, inner := range v {
				dig(inner)
			}
		case string:
			all = append(all, []byte(v))
			for _, decode := range []func(string) ([]byte, error){
				hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
			} {
				if b, err := decode(v); err == nil && len(b) > 0 {
					all = append(all, b)
				}
			}
		default:
			all = append(all, fmt.Append(nil, v))
		}
	}
	for _, c := range w.cells {
		all = append(all, c.Value)
		dig(c.Key)
		var v any
		if json.Unmarshal(c.Value, &v) == nil {
			dig(v)
		}
	}
	return all
}

// flowCell returns the newest cell of a flow, and its JSON.
func (w *witness) flowCell(t *testing.T, id string) (hallpass.Cell, map[string]any) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.cells) - 1; i >= 0; i-- {
		var v map[string]any
		if json.Unmarshal(w.cells[i].Value, &v) == nil && v["id"] == id && v["code"] != nil {
			return w.cells[i], v
		}
	}
	t.Fatal("the flow is nowhere")
	return hallpass.Cell{}, nil
}

func flowID(token string) string { return strings.Split(token, "-")[1] }

// What the store is ever given says nothing of codes, links and tokens: neither as
// they are, in whatever alphabet, nor by a hash that a million guesses find.
func TestTheStoreNeverGetsASecretOrAHashThatCanBeGuessed(t *testing.T) {
	t.Parallel()
	w := &witness{Store: memstore.New()}
	e := engineOver(t, w, &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, func(c *login.Config) { c.CodeDigits = 10 })
	begun, code, link := e.begin("hugo@example.com")
	handOver, _, err := e.HandOver(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	id, err := e.ByCode(t.Context(), login.Entry{Flow: begun.Flow, Code: handOver, Client: from(1)})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := e.Open(t.Context(), id, from(1))
	if err != nil {
		t.Fatal(err)
	}
	secret := func(token string) string { return token[strings.LastIndex(token, "-")+1:] }
	secrets := map[string]string{
		"the code": code, "the code for the other device": handOver, "the flow": secret(begun.Flow), "the link": secret(link),
		"the refresh token": tokens.Refresh.Reveal(), "the access token": tokens.Access.Reveal(),
	}
	forms := map[string]string{}
	for name, text := range secrets {
		forms[name] = text
		for _, sum := range []func() hash.Hash{md5.New, sha1.New, sha256.New, sha512.New} {
			h := sum()
			h.Write([]byte(text))
			forms[fmt.Sprintf("a bare hash of %s, %d bytes", name, h.Size())] = string(h.Sum(nil))
			m := hmac.New(sum, nil)
			m.Write([]byte(text))
			forms[fmt.Sprintf("a MAC without a key of %s, %d bytes", name, h.Size())] = string(m.Sum(nil))
		}
	}
	texts := w.texts()
	if len(texts) < 50 {
		t.Fatalf("only %d texts were written", len(texts))
	}
	for _, text := range texts {
		for name, form := range forms {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("the store holds %s", name)
			}
		}
	}
}

// The hash of a code is bound to its flow and address, and to keys that are not in
// the store: none counts anywhere else, even for somebody who can write to it.
func TestTheHashOfACodeCountsForItsFlowAndWithItsKeysAlone(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]string{"another flow": "hugo@example.com", "another address": "ada@example.com"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &witness{Store: memstore.New()}
			e := engineOver(t, w, &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, func(c *login.Config) { c.Limits.Resend = -1 })
			mine, code, _ := e.begin("hugo@example.com")
			theirs, _, _ := e.beginFrom(from(2), other)
			_, source := w.flowCell(t, flowID(mine.Flow))
			cell, target := w.flowCell(t, flowID(theirs.Flow))
			target["code"] = source["code"]
			var err error
			if cell.Value, err = json.Marshal(target); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Swap(t.Context(), cell, e.clock.Now()); err != nil {
				t.Fatal(err)
			}
			if _, err := e.ByCode(t.Context(), login.Entry{Flow: theirs.Flow, Code: code, Client: from(2)}); !errors.Is(err, hallpass.RefusalBadSignature) {
				t.Errorf("a hash that was copied: %v", err)
			}
			if _, err := e.ByCode(t.Context(), login.Entry{Flow: mine.Flow, Code: code, Client: from(1)}); err != nil {
				t.Errorf("its own: %v", err)
			}
		})
	}
	t.Run("other keys", func(t *testing.T) {
		t.Parallel()
		store, c := memstore.New(), &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		e := engineOver(t, store, c, nil)
		begun, code, _ := e.begin("hugo@example.com")
		key, err := hallpass.GenerateKey(hallpass.HS256)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := hallpass.NewKeyring(key)
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := hallpass.New(hallpass.Config{Keys: ring, Store: store, Now: c.Now, Instance: e.issuer.Instance()})
		if err != nil {
			t.Fatal(err)
		}
		cfg := configOver(t, store, c, newLetterbox())
		cfg.Issuer = stranger
		l, err := login.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.ByCode(t.Context(), login.Entry{Flow: begun.Flow, Code: code, Client: from(1)}); !errors.Is(err, hallpass.RefusalBadSignature) {
			t.Errorf("with other keys: %v", err)
		}
	})
}

// Success forgives half of what others left: docs/login.md says so.
func TestSuccessForgivesHalfOfTheFailuresBeforeIt(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(c *login.Config) {
		c.Limits.Resend, c.Limits.FreeFailures = -1, 4
	})
	const victim = mail.Address("hugo@example.com")
	begun, code, _ := e.begin(string(victim))
	for i := range 3 {
		stranger, _, _ := e.beginFrom(from(100+i), string(victim))
		if _, err := e.ByCode(t.Context(), login.Entry{Flow: stranger.Flow, Code: wrongCode(code, i), Client: from(100 + i)}); !errors.Is(err, hallpass.RefusalBadSignature) {
			t.Fatalf("failure %d: %v", i+1, err)
		}
	}
	if _, err := e.ByCode(t.Context(), login.Entry{Flow: begun.Flow, Code: code, Client: from(1)}); err != nil {
		t.Fatalf("the owner, before any wait: %v", err)
	}
	// One of three is left: three more are free, and the one after them waits.
	for i := range 4 {
		stranger, right, _ := e.beginFrom(from(200+i), string(victim))
		_, err := e.ByCode(t.Context(), login.Entry{Flow: stranger.Flow, Code: wrongCode(right, i), Client: from(200 + i)})
		var wait *login.Throttled
		if waits := errors.As(err, &wait); waits != (i == 3) {
			t.Errorf("attempt %d: %v", i+1, err)
		}
	}
}
