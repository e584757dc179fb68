package adminui

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type reasonCount struct {
	Reason hallpass.Refusal
	Words  string
	Count  int64
}

type overviewView struct {
	frame
	Span    span
	Spans   []span
	Charts  []chart
	Reasons []reasonCount
	Scopes  []hallpass.ScopeStat
	Ending  hallpass.EndingPage
	Health  []Health
	Store   string
	Version string
	Dropped int64
	Empty   bool
}

// LookedThrough is how many passes are looked at for those that end soon.
func (overviewView) LookedThrough() int { return hallpass.MaxPage }

// soon is when a pass ends soon.
const soon = 24 * time.Hour

func (u *UI) overview(v *visit) error {
	ctx, s := v.Context(), spanOf(v.URL.Query().Get("span"))
	f := u.frame(v, "overview")
	view := overviewView{frame: f, Span: s, Spans: spans, Store: u.cfg.Store, Version: u.cfg.Version, Dropped: u.issuer.DroppedEvents()}
	until := f.Now.Truncate(s.Step).Add(s.Step)
	points, err := u.issuer.Stats(ctx, until.Add(-s.Length), until, s.Step)
	if err != nil {
		return err
	}
	view.Charts = chartsOf(s, points)
	sums := map[hallpass.Refusal]int64{}
	for _, p := range points {
		for reason, n := range p.Reasons {
			sums[reason] += n
		}
	}
	for _, reason := range hallpass.Refusals() {
		if sums[reason] > 0 {
			view.Reasons = append(view.Reasons, reasonCount{reason, refusalWords[reason], sums[reason]})
		}
	}
	if view.Scopes, err = u.issuer.TopScopes(ctx, until.Add(-s.Length), until, 8); err != nil {
		return err
	}
	if view.Ending, err = u.issuer.Ending(ctx, f.Now.Add(soon), 8); err != nil {
		return err
	}
	view.Health = u.health(ctx)
	view.Empty = len(view.Scopes) == 0 && len(view.Ending.Entries) == 0
	if view.Empty {
		page, err := u.issuer.Entries(ctx, hallpass.EntryFilter{Limit: 1})
		if err != nil {
			return err
		}
		view.Empty = len(page.Entries) == 0
	}
	return u.show(v, http.StatusOK, "overview", view)
}

// healthTime bounds how long the parts may take to say how they are.
const healthTime = 2 * time.Second

func (u *UI) health(ctx context.Context) []Health {
	var list []Health
	if u.cfg.Health != nil {
		ctx, cancel := context.WithTimeout(ctx, healthTime)
		defer cancel()
		list = u.cfg.Health(ctx)
	}
	key := Health{Name: "signing key", OK: true}
	if active, ok := u.issuer.Keys().Active(); ok {
		key.Detail = active.ID() + ", " + string(active.Algorithm())
	} else {
		key.OK, key.Detail = false, "none is active; nothing can be issued"
	}
	return append(list, key, u.sealHealth(ctx))
}

// sealHealth says how far the log is sealed.
func (u *UI) sealHealth(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	h := Health{Name: "seals"}
	state, err := u.issuer.SealState(ctx)
	switch {
	case err != nil:
		h.Detail = "they cannot be read, or are not whole: hallpass uses verify tells more"
		u.cfg.Logger.WarnContext(ctx, "the state of the seals is not known", "error", err)
	case state.Links == 0:
		h.OK, h.Detail = true, "nothing is sealed yet; hallpass serve seals each minute two minutes after its end"
	default:
		h.OK = !state.Late
		h.Detail = strconv.FormatInt(state.Links, 10) + " links, sealed until " + wire.Time(state.Through)
		if state.Late {
			h.Detail += "; what came since should have been sealed by now"
		}
	}
	return h
}

// refusalWords say each refusal to an operator.
var refusalWords = map[hallpass.Refusal]string{
	hallpass.RefusalMissing:           "no token was there",
	hallpass.RefusalMalformed:         "it is no token",
	hallpass.RefusalUnknownKey:        "it names a key that is not ours, or was retired",
	hallpass.RefusalBadSignature:      "its signature is wrong: changed, or made elsewhere",
	hallpass.RefusalWrongType:         "signed by us, but no pass",
	hallpass.RefusalMissingClaim:      "it lacks what every pass states",
	hallpass.RefusalWrongAudience:     "made for another deployment",
	hallpass.RefusalNotYetValid:       "too early",
	hallpass.RefusalExpired:           "it had ended",
	hallpass.RefusalWrongScope:        "made for another purpose",
	hallpass.RefusalNotGranted:        "this method and path are not among its grants",
	hallpass.RefusalUnknownPass:       "its row is not in the store",
	hallpass.RefusalRevoked:           "it had been taken back",
	hallpass.RefusalUnknownSubject:    "its user is not active",
	hallpass.RefusalWrongSubject:      "somebody else was signed in",
	hallpass.RefusalSpent:             "it had been used up",
	hallpass.RefusalNeedsConfirmation: "nobody had pressed the button",
}
