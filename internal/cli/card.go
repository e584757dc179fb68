package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/look"
)

// card prints a pass for a person: what it is for, for whom, until when, how
// often still, and its state. The words are those of the pages.
func (a *app) card(e hallpass.Entry, now time.Time) error { return a.cardOf(e, now, true) }

// cardOf is card; where the row was not read, neither the state nor what is left is
// known, and the card says nothing of them.
func (a *app) cardOf(e hallpass.Entry, now time.Time, read bool) error {
	words := look.English()
	state := e.State(now)
	scope := clean(string(e.Scope))
	if scope == "" {
		scope = "an unknown purpose" // a tombstone knows the id alone
	}
	rows := [][2]string{{words["card.for"], words["card.for.anyone"]}}
	if e.Subject != "" {
		rows[0][1] = e.Subject
	}
	if e.Recipient != "" {
		rows = append(rows, [2]string{"Sent to", e.Recipient})
	}
	if now.Before(e.NotBefore) {
		rows = append(rows, [2]string{words["card.from"], when(words, now, e.NotBefore)})
	}
	until := words["card.until"]
	if state == hallpass.StateExpired {
		until = words["card.until.past"]
	}
	left, _ := e.UsesLeft()
	rows = append(rows, [2]string{until, orText(when(words, now, e.ExpiresAt), words["card.until.never"])})
	if read {
		rows = append(rows, [2]string{words["card.uses"], words.Often(e.MaxUses, left)})
	}
	for _, g := range e.Grants {
		rows = append(rows, [2]string{words["card.grants"], g.String()})
	}
	if len(e.Data) > 0 {
		rows = append(rows, [2]string{"Data", string(e.Data)})
	}
	if e.Batch != "" {
		rows = append(rows, [2]string{"Batch", e.Batch})
	}
	if e.Used > 0 {
		rows = append(rows, [2]string{"Used", count(e)})
	}
	if !e.RevokedAt.IsZero() {
		rows = append(rows, [2]string{words["state.revoked"], when(words, now, e.RevokedAt)})
	}
	rows = append(rows, [2]string{words["card.id"], e.ID})

	if e.Scope == "" { // a tombstone that was made from an id alone
		rows = [][2]string{
			{words["state.revoked"], when(words, now, e.RevokedAt)}, {words["card.id"], e.ID},
			{"", "Nothing else is known about it."},
		}
		scope = "unknown"
	}
	mode := ""
	if e.Mode != "" {
		mode = ", " + string(e.Mode)
	}
	shown := "(as the token says)"
	if read {
		shown = a.paint(stateColour(state), "["+string(state)+"]")
	}
	if err := a.line("%s: %s%s  %s", words["card.name"], scope, mode, shown); err != nil {
		return err
	}
	for _, row := range rows {
		if err := a.line("  %s%s%s", row[0], strings.Repeat(" ", max(1, 12-len(row[0]))), clean(row[1])); err != nil {
			return err
		}
	}
	return nil
}

// when says a time exactly and how far it is.
func when(words look.Texts, now, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return words.Brief(at.UTC()) + ", " + words.Relative(now, at)
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// reasons says what each refusal means, what was not harmed, and what to do.
var reasons = map[hallpass.Refusal]string{
	hallpass.RefusalMissing:           "There is no token here. Give a token, a link, or - to read it from standard input.",
	hallpass.RefusalMalformed:         "This is neither a token nor a link, nor a whole pass id (36 characters). Check that it was copied whole.",
	hallpass.RefusalUnknownKey:        "It names a key that is not among ours. It may belong to another deployment, or its key was retired.",
	hallpass.RefusalBadSignature:      "Its signature is wrong: it was changed, or made elsewhere.",
	hallpass.RefusalWrongType:         "It is signed, but it is no pass.",
	hallpass.RefusalMissingClaim:      "It is signed, but lacks what every pass states.",
	hallpass.RefusalWrongAudience:     "It is signed, but was made for another deployment.",
	hallpass.RefusalNotYetValid:       "It is not valid yet. Nothing was counted; come back later.",
	hallpass.RefusalExpired:           "It has ended. Nothing was counted; issue a new pass.",
	hallpass.RefusalWrongScope:        "It is for another purpose than the one asked. Nothing was counted.",
	hallpass.RefusalNotGranted:        "It does not cover this method and path. Nothing was counted.",
	hallpass.RefusalUnknownPass:       "This store does not know the pass. Is it the right store?",
	hallpass.RefusalRevoked:           "It was taken back. Nothing was counted.",
	hallpass.RefusalUnknownSubject:    "The application no longer knows its subject. Nothing was counted.",
	hallpass.RefusalWrongSubject:      "It is for somebody else. Nothing was counted.",
	hallpass.RefusalSpent:             "Every use it promised has been made. Issue a new pass.",
	hallpass.RefusalNeedsConfirmation: "It signs somebody in, which takes that person's own confirmation in a browser. Nothing was counted.",
}

// refused prints a refusal for a person, with the card where the pass is proven; read
// says that its row was read.
func (a *app) refused(reason hallpass.Refusal, e hallpass.Entry, now time.Time, read bool) error {
	text := reasons[reason]
	if keys, err := a.foreignKeys(); err == nil && reason == hallpass.RefusalWrongScope {
		for _, k := range keys {
			if k.ID == e.Key && e.Scope != "" && (!slices.Contains(k.Scopes, e.Scope) || len(k.Modes) > 0 && !slices.Contains(k.Modes, e.Mode)) {
				text = fmt.Sprintf("The foreign key %s may not carry the scope %s in the mode %s; its scopes and modes in the settings say what it may. Nothing was counted.", k.ID, clean(string(e.Scope)), e.Mode)
			}
		}
	}
	if err := a.line("%s\n%s", a.paint(red, "refused: "+string(reason)), text); err != nil {
		return err
	}
	if e.ID == "" {
		return nil
	}
	return a.cardOf(e, now, read)
}
