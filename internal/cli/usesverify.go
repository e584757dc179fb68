package cli

import (
	"context"
	"regexp"
	"slices"
	"strconv"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type usesVerifyCmd struct {
	Since string `placeholder:"T" help:"Look at rows from this time on, or from this long ago; the seals are always all checked."`
	Head  string `placeholder:"HASH" help:"The head of an earlier run, kept elsewhere: the chain must hold it."`
}

var headPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (c *usesVerifyCmd) Run(ctx context.Context, a *app) error {
	if c.Head != "" && !headPattern.MatchString(c.Head) {
		return fieldError("head", "must be the 64 digits that an earlier run printed")
	}
	s, err := a.service(ctx, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	check := hallpass.SealCheck{Head: c.Head}
	if check.Since, err = wire.ParseMoment("since", c.Since, s.Now()); err != nil {
		return err
	}
	report, err := s.VerifySeals(ctx, check)
	if err != nil {
		return err
	}
	if a.grammar.JSON {
		err = a.print(wire.SealsOf(report))
	} else {
		err = a.sealReport(report)
	}
	if err == nil && !report.Whole() {
		err = exitStatus(wire.ExitRefused)
	}
	return err
}

func (a *app) sealReport(r hallpass.SealReport) error {
	if !r.Sealed {
		return a.line(`Nothing is sealed: nothing can be said about these uses. "hallpass serve" seals them.`)
	}
	if len(r.Faults) > 0 {
		var rows [][]string
		for _, f := range r.Faults {
			rows = append(rows, []string{
				orDash(moment(f.Minute)), faultText(f), strconv.FormatInt(f.Sealed, 10), strconv.FormatInt(f.Found, 10),
			})
		}
		if err := a.table(a.stdout, 1, []string{"MINUTE (UTC)", "WHAT", "SEALED", "FOUND"}, rows); err != nil {
			return err
		}
		if more := r.FaultCount - int64(len(r.Faults)); more > 0 {
			if err := a.line("And %d more.", more); err != nil {
				return err
			}
		}
	}
	verdict := "Whole: what was looked at is as it was sealed."
	if !r.Whole() {
		verdict = "Not whole: somebody changed what was sealed, or an old copy of the store was put in its place."
		switch {
		case only(r, hallpass.FaultUnvouched):
			verdict = `Not whole: something is left in minutes that were pruned. If a prune broke off, the next "hallpass prune" removes it; what comes back was put there.`
		case only(r, hallpass.FaultMisplaced):
			verdict = "Not whole: somebody put rows where they do not belong, or a machine's clock was wrong. What is sealed is as it was."
		}
	}
	lines := []string{
		verdict,
		"Looked at " + strconv.FormatInt(r.Uses, 10) + " uses and " + strconv.FormatInt(r.Events, 10) + " events from " + moment(r.Since) +
			" to " + moment(r.Until) + ", under " + strconv.FormatInt(r.Seals, 10) + " seals.",
	}
	if !r.UsesPruned.IsZero() {
		lines = append(lines, "Uses from before "+moment(r.UsesPruned)+" may have been pruned; that is signed.")
	}
	if !r.EventsPruned.IsZero() {
		lines = append(lines, "Events from before "+moment(r.EventsPruned)+" may have been pruned; that is signed.")
	}
	if r.UsesBefore+r.EventsBefore > 0 {
		lines = append(lines, "From before "+moment(r.Since)+", where sealing began: "+strconv.FormatInt(r.UsesBefore, 10)+" of the uses, "+
			strconv.FormatInt(r.EventsBefore, 10)+" of the events. Nothing vouches for them; if there were seals before, somebody removed them.")
	}
	lines = append(lines, "Not protected yet: what was written down since "+moment(r.Until)+".", "Head: "+r.Head)
	for _, line := range lines {
		if err := a.line("%s", line); err != nil {
			return err
		}
	}
	return nil
}

// only reports whether all faults are of one kind.
func only(r hallpass.SealReport, kind hallpass.SealFaultKind) bool {
	return r.FaultCount == int64(len(r.Faults)) &&
		!slices.ContainsFunc(r.Faults, func(f hallpass.SealFault) bool { return f.Kind != kind })
}

func faultText(f hallpass.SealFault) string {
	switch f.Kind {
	case hallpass.FaultAltered:
		return f.Rows + " altered"
	case hallpass.FaultMissing:
		return f.Rows + " missing"
	case hallpass.FaultInserted:
		return f.Rows + " inserted"
	case hallpass.FaultReplaced:
		return f.Rows + " replaced by others"
	case hallpass.FaultUnvouched:
		return "pruned, but " + f.Rows + " are there"
	case hallpass.FaultMisplaced:
		return f.Rows + " under an id that does not fit"
	case hallpass.FaultSealMissing:
		if f.Minute.IsZero() {
			return "the chain does not hold the head that was kept"
		}
		return "seals missing"
	case hallpass.FaultSealAltered:
		return "seal altered"
	case hallpass.FaultSealReplaced:
		return "seal replaced"
	}
	return string(f.Kind)
}
