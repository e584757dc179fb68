package look

import (
	"html/template"
	"time"

	"github.com/hallpass-go/hallpass"
)

// Card is the pass card, the one part everybody meets: what the pass lets you
// do, for whom, until when, how often still, and its state as a stamp. The
// template part "pass" shows it.
type Card struct {
	// Sentence says what the pass lets its holder do.
	Sentence string
	// Said is the sentence as HTML, for one that quotes what others wrote. It is shown
	// instead of Sentence where it is not empty.
	Said template.HTML
	// For is whose pass it is, shown as it stands: use Mask where strangers read.
	// Empty means anyone with the link.
	For string
	// From is shown when it lies after Now. Until is the end; zero means none.
	From, Until time.Time
	// Max is how often the pass works, 0 for without limit; Left is how often still.
	Max, Left int64
	// State picks the stamp, as Texts.Stamp knows it. Empty means no stamp.
	State string
	// Scope, Grants and ID are shown where they are not empty.
	Scope  string
	Grants []string
	ID     string
	// Now is what times are relative to; its location is that of exact times.
	Now time.Time
}

// CardOf returns the card of a pass for strangers' eyes: the subject is masked,
// and the id, the data and the operator's notes are left out.
func CardOf(e hallpass.Entry, sentence string, now time.Time) Card {
	left, _ := e.UsesLeft()
	c := Card{
		Sentence: sentence,
		For:      Mask(e.Subject),
		From:     e.NotBefore,
		Until:    e.ExpiresAt,
		Max:      e.MaxUses,
		Left:     left,
		State:    string(e.State(now)),
		Scope:    string(e.Scope),
		Now:      now,
	}
	for _, g := range e.Grants {
		c.Grants = append(c.Grants, g.String())
	}
	return c
}

// Early reports whether the pass is not yet valid at Now.
func (c Card) Early() bool { return c.Now.Before(c.From) }

// Late reports whether the pass has ended at Now.
func (c Card) Late() bool { return !c.Until.IsZero() && !c.Now.Before(c.Until) }

// Over reports whether the pass will not be honoured again, however many uses
// it had left.
func (c Card) Over() bool {
	return c.Late() || c.State == string(hallpass.StateExpired) ||
		c.State == string(hallpass.StateRevoked) || c.State == string(hallpass.StateSpent)
}

// Often says how often the pass still works.
func (t Texts) Often(maxUses, left int64) string {
	switch {
	case maxUses <= 0:
		return t["card.uses.unlimited"]
	case left <= 0:
		return t["card.uses.none"]
	case left == maxUses:
		return t.Count("card.uses.whole", left)
	}
	return t.Count("card.uses.left", left)
}
