package cli

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/keytext"
	"github.com/hallpass-go/hallpass/internal/openstore"
	"github.com/hallpass-go/hallpass/internal/wire"
	"github.com/hallpass-go/hallpass/keystore"
)

type verifyCmd struct {
	Token   string  `arg:"" help:"A token or link; - reads it from standard input."`
	Scope   *string `placeholder:"NAME" help:"The purpose it must be for."`
	Method  *string `placeholder:"M" help:"The method it must be good for."`
	Path    *string `placeholder:"P" help:"The path it must be good for, as sent."`
	Subject *string `placeholder:"USER" help:"The user it must be for."`
	At      string  `placeholder:"TIME" help:"Judge as of this time (RFC 3339), not now."`
	Leeway  string  `placeholder:"D" help:"How far clocks may disagree."`
	Key     string  `placeholder:"KEY" help:"Check with this key alone: a secret, PEM, OpenSSH or JWK text, or @FILE."`
	As      string  `placeholder:"FORMAT" values:"pass,django-request-token,django-signing,jwt-email-auth" help:"Judge as this format alone, without the store: pass, or as the decoder of a Django package judges: django-request-token, django-signing, jwt-email-auth."`
	Issuer  *string `placeholder:"NAME" help:"The deployment it must be from. With --key any is taken unless given."`
	Offline bool    `help:"Judge the token by itself: whether it is revoked or spent is not known."`

	CipherKey *string `placeholder:"B64" help:"jwt-email-auth: the key that tokens are encrypted with, or @FILE."`
	Salt      *string `placeholder:"S" help:"django-signing: the salt; django.core.signing unless given."`
	Audience  *string `placeholder:"A" help:"jwt-email-auth: whom the token must be for."`
	Type      *string `placeholder:"TYPE" values:"access,refresh" help:"jwt-email-auth: access or refresh; either unless given."`
	MaxAge    *string `placeholder:"D" help:"django-signing: how old the value may be."`
}

func (c *verifyCmd) Run(ctx context.Context, a *app) error {
	if decode := decoders[c.As]; decode != nil {
		return c.judgeAs(a, decode)
	}
	cfg, asked, err := c.config(a)
	if err != nil {
		return err
	}
	offline := c.Offline || c.As != ""
	// Without the store a token can still be refused for what it is; it cannot be
	// honoured, unless nobody wanted the store asked.
	var storeErr error
	if !offline || cfg.Keys == nil {
		store, err := openstore.Open(ctx, a.grammar.Store, nil)
		if err == nil {
			defer store.Close()
			if !offline {
				cfg.Store = store
			}
			err = c.useKeysOf(ctx, a, store, &cfg)
		}
		if errors.As(err, new(*hallpass.FieldError)) {
			return err
		}
		storeErr = err
	}
	known := cfg.Keys != nil
	if !known {
		if cfg.Keys, err = hallpass.NewKeyring(); err != nil {
			return err
		}
	}
	issuer, err := hallpass.New(cfg)
	if err != nil {
		return err
	}
	return c.judge(ctx, a, issuer, asked, cfg.Store != nil, known, storeErr)
}

// judge gives the verdict. storeErr is why the store could not be asked, known
// whether there are keys.
func (c *verifyCmd) judge(ctx context.Context, a *app, issuer *hallpass.Issuer, asked hallpass.Presentation, online, known bool, storeErr error) error {
	var entry hallpass.Entry
	var v hallpass.Verified
	var err error
	if online && storeErr == nil {
		entry, v, err = issuer.Check(ctx, asked)
	} else {
		v, err = issuer.Verify(asked)
		entry = hallpass.Entry{Pass: v.Pass}
	}
	reason, refused := hallpass.RefusalOf(err)
	if storeErr != nil && (!refused || (!known && reason != hallpass.RefusalMissing && reason != hallpass.RefusalMalformed)) {
		return storeErr
	}
	switch {
	case err != nil && !refused:
		return err
	case refused && a.grammar.JSON:
		err = a.print(wire.Refused(reason, v.Claims))
	case refused:
		err = a.refused(reason, entry, issuer.Now(), online && slices.Contains(afterRow, reason))
	case a.grammar.JSON:
		return a.print(wire.Honoured(entry, v.Claims, issuer.Now()))
	default:
		if err := a.line("%s", a.paint(green, "honoured")); err != nil {
			return err
		}
		return a.cardOf(entry, issuer.Now(), online)
	}
	if err != nil {
		return err
	}
	return exitStatus(wire.ExitRefused)
}

// afterRow are the refusals that are found after a pass's row was read.
var afterRow = []hallpass.Refusal{
	hallpass.RefusalRevoked, hallpass.RefusalSpent, hallpass.RefusalUnknownSubject, hallpass.RefusalWrongSubject,
}

// config reads the flags.
func (c *verifyCmd) config(a *app) (cfg hallpass.Config, asked hallpass.Presentation, err error) {
	cfg.Logger = slog.New(slog.DiscardHandler)
	for _, f := range []struct {
		name string
		from *string
		to   *string
	}{
		{"scope", c.Scope, (*string)(&asked.Scope)}, {"method", c.Method, &asked.Method}, {"path", c.Path, &asked.Path},
		{"subject", c.Subject, &asked.Subject}, {"issuer", c.Issuer, &cfg.Instance},
	} {
		if *f.to, err = givenText(f.name, f.from); err != nil {
			return cfg, asked, err
		}
	}
	if c.As != "" && c.As != "pass" {
		return cfg, asked, fieldError("as", "must be pass, django-request-token, django-signing or jwt-email-auth")
	}
	if err := c.refuseFlags("", c.decoderFlags()...); err != nil {
		return cfg, asked, err
	}
	if c.At != "" {
		at, err := wire.ParseTime("at", c.At)
		if err != nil {
			return cfg, asked, err
		}
		cfg.Now = func() time.Time { return at }
	}
	if c.Leeway != "" {
		if cfg.Leeway, err = wire.ParseDuration("leeway", c.Leeway); err != nil {
			return cfg, asked, err
		}
	}
	if c.Key != "" {
		text, err := keytext.ReadRef(c.Key)
		if err != nil {
			return cfg, asked, fieldError("key", "%v", err)
		}
		key, err := hallpass.ParseKey(text, "")
		if err != nil {
			return cfg, asked, err
		}
		cfg.Keys = hallpass.SoleKeyring(key)
		if cfg.Instance == "" {
			cfg.Instance = "*"
		}
	}
	asked.Token, asked.Target, err = a.readToken(c.Token)
	return cfg, asked, err
}

// useKeysOf takes the store's keys and instance where the flags name none.
func (c *verifyCmd) useKeysOf(ctx context.Context, a *app, store *openstore.Store, cfg *hallpass.Config) error {
	if cfg.Keys != nil {
		return nil
	}
	opts, err := a.keyOptions(store)
	if err != nil {
		return err
	}
	ring, err := keystore.Load(ctx, store, opts)
	if err != nil {
		return noKeys(err)
	}
	cfg.Keys = ring.Keyring()
	foreign, err := a.foreignKeys()
	if err != nil {
		return err
	}
	if err := cfg.Keys.SetForeign(foreign...); err != nil {
		return err
	}
	if cfg.Instance == "" {
		cfg.Instance = a.instance(ring)
	}
	return nil
}
