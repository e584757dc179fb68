package adminui

import (
	"net/http"
	"time"

	"github.com/hallpass-go/hallpass"
)

type keyRow struct {
	ID        string
	Purpose   hallpass.Purpose
	Algorithm hallpass.Algorithm
	State     hallpass.KeyState
	Added     time.Time
}

// Does says what the key is for, in words.
func (k keyRow) Does() string {
	switch k.State {
	case hallpass.KeyActive:
		return "signs what is new, and honours what it signed"
	case hallpass.KeyVerifying:
		return "honours what it signed"
	}
	return "nothing: what it signed is refused"
}

// Stamp is the state's.
func (k keyRow) Stamp() string {
	switch k.State {
	case hallpass.KeyActive:
		return "signs"
	case hallpass.KeyVerifying:
		return "verifies"
	}
	return "retired"
}

type keysView struct {
	frame
	Keys []keyRow
	// Mine says that the keys are the store's, which can be changed here.
	Mine bool
	// Published says of each purpose where its public keys are.
	Published []publishedKeys
}

// publishedKeys are those of a purpose, at URL, or nowhere, for the reason that Why
// says.
type publishedKeys struct{ For, URL, Why string }

func published(keys []keyRow, purpose hallpass.Purpose, what, url string) publishedKeys {
	some, public := false, false
	for _, k := range keys {
		if k.Purpose == purpose && k.State != hallpass.KeyRetired {
			some, public = true, public || k.Algorithm != hallpass.HS256
		}
	}
	switch {
	case !some:
		return publishedKeys{For: what, Why: "There are none: no key signs " + what + " here."}
	case !public:
		return publishedKeys{For: what, Why: "None are published: HS256 keys are shared secrets, which only this deployment may have."}
	case url == "":
		return publishedKeys{For: what, Why: "They are not published: no address is open for them here."}
	}
	return publishedKeys{For: what, URL: url}
}

func (u *UI) keys(v *visit) error {
	view := keysView{frame: u.frame(v, "keys"), Mine: u.cfg.Ring != nil}
	if view.Mine {
		for _, k := range u.cfg.Ring.List() {
			view.Keys = append(view.Keys, keyRow{k.ID, k.Purpose, k.Algorithm, k.State, k.CreatedAt})
		}
	} else {
		for k, state := range u.issuer.Keys().Keys {
			view.Keys = append(view.Keys, keyRow{k.ID(), hallpass.PurposePass, k.Algorithm(), state, time.Time{}})
		}
		if u.cfg.AccessKeys != nil {
			for k, state := range u.cfg.AccessKeys.Keys {
				view.Keys = append(view.Keys, keyRow{k.ID(), hallpass.PurposeAccess, k.Algorithm(), state, time.Time{}})
			}
		}
	}
	view.Published = []publishedKeys{
		published(view.Keys, hallpass.PurposePass, "passes", u.cfg.JWKS),
		published(view.Keys, hallpass.PurposeAccess, "access tokens", u.cfg.AccessJWKS),
	}
	return u.show(v, http.StatusOK, "keys", view)
}

func (u *UI) rotateKeys(v *visit) error {
	if u.cfg.Ring == nil {
		return hallpass.ErrNotFound
	}
	active, ok := u.cfg.Ring.Keyring().Active()
	if !ok {
		return hallpass.ErrNotFound
	}
	if v.PostFormValue("from") != active.ID() {
		return hallpass.ErrConflict // a form that was sent twice rotates once
	}
	key, err := hallpass.GenerateKeyFor(hallpass.PurposePass, active.Algorithm())
	if err != nil {
		return err
	}
	if err := u.act(v, hallpass.Event{Action: "key.rotate", Detail: active.ID() + " to " + key.ID()}); err != nil {
		return err
	}
	if err := u.cfg.Ring.Rotate(v.Context(), key); err != nil {
		return err
	}
	return u.redirect(v, "/keys?done=rotated")
}

func (u *UI) retireKey(v *visit) error {
	id := v.PostFormValue("id")
	switch {
	case u.cfg.Ring == nil:
		return hallpass.ErrNotFound
	case v.PostFormValue("sure") != "yes":
		return &hallpass.FieldError{Field: "sure", Reason: "must be ticked"}
	}
	if err := u.act(v, hallpass.Event{Action: "key.retire", Detail: id}); err != nil {
		return err
	}
	if err := u.cfg.Ring.Retire(v.Context(), id); err != nil {
		return err
	}
	return u.redirect(v, "/keys?done=retired")
}

type settingsView struct {
	frame
	Settings []Setting
}

func (u *UI) settings(v *visit) error {
	view := settingsView{frame: u.frame(v, "settings")}
	if u.cfg.Settings != nil {
		view.Settings = u.cfg.Settings()
	}
	for n := range view.Settings {
		if view.Settings[n].Secret {
			view.Settings[n].Value = ""
		}
	}
	return u.show(v, http.StatusOK, "settings", view)
}
