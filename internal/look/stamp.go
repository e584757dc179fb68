package look

// Stamp is how a state is shown: by a word, a shape and a colour, so that no
// state is told by colour alone.
type Stamp struct {
	// Word is the state in the reader's language.
	Word string
	// Shape is one of check, stamp, hourglass, bar, dot.
	Shape string
	// Tone is one of honoured, refused, waiting, quiet.
	Tone string
}

// Stamp returns how a state is shown: a hallpass.State, a hallpass.UseState, or
// one of honoured, refused, waiting, done, sent, asked, again, later, good, trouble, signs,
// verifies, retired. A state it does not know is quiet and shows its own name.
func (t Texts) Stamp(state string) Stamp {
	s := Stamp{Word: state, Shape: "dot", Tone: "quiet"}
	if word, ok := t["state."+state]; ok {
		s.Word = word
	}
	switch state {
	case "active", "settled", "honoured", "done", "sent", "asked", "forwarded", "good", "signs":
		s.Shape, s.Tone = "check", "honoured"
	case "spent":
		s.Shape, s.Tone = "stamp", "refused"
	case "expired":
		s.Shape, s.Tone = "hourglass", "refused"
	case "revoked", "refused", "trouble":
		s.Shape, s.Tone = "bar", "refused"
	case "not_yet_valid", "pending", "waiting", "again", "later":
		s.Shape, s.Tone = "hourglass", "waiting"
	case "verifies":
		s.Shape, s.Tone = "check", "quiet"
	case "retired":
		s.Shape, s.Tone = "bar", "quiet"
	case "refunded":
		s.Shape, s.Tone = "stamp", "quiet"
	}
	return s
}
