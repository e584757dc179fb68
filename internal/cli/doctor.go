package cli

import (
	"context"
	"errors"
	"time"

	"github.com/hallpass-go/hallpass/internal/wire"
)

// doctorCmd looks whether serve would work with the same settings. It changes nothing.
type doctorCmd struct {
	serveSettings
}

// doctorTime bounds each check, so that one that hangs does not hide the others.
const doctorTime = 5 * time.Second

// The states of a finding.
const (
	findingOK      = "ok"
	findingWarning = "warning" // it works, and may not for long, or not as hoped for
	findingFault   = "fault"
	findingUnknown = "not checked"
)

// finding is what one check came to.
type finding struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"`
	// Fix is what to do; only where something is wrong.
	Fix string `json:"fix,omitempty"`
}

func (c *doctorCmd) Run(ctx context.Context, a *app) error {
	p, problems := c.plan(a)
	d := &doctor{app: a, plan: p}
	d.settings(problems)
	if len(problems) > 0 {
		d.unknown("the settings are wrong", "store", "keys", "seals", "mail", "upstream", "addr")
	} else {
		d.examine(ctx)
	}
	defer d.close()
	if err := d.show(); err != nil {
		return err
	}
	switch {
	case len(problems) > 0:
		return exitStatus(wire.ExitInvalid)
	case d.undecided:
		return exitStatus(wire.ExitUndecided)
	case d.faults > 0:
		return exitStatus(wire.ExitRefused)
	}
	return nil
}

// doctor collects findings.
type doctor struct {
	app      *app
	plan     *servePlan
	findings []finding
	faults   int
	// undecided says that the store or the keys could not be read.
	undecided bool
	ends      []func() error
}

func (d *doctor) add(name, state, detail, fix string) {
	d.findings = append(d.findings, finding{name, state, detail, fix})
	if state == findingFault {
		d.faults++
	}
}

func (d *doctor) unknown(why string, names ...string) {
	for _, name := range names {
		d.add(name, findingUnknown, why, "")
	}
}

func (d *doctor) close() {
	for _, end := range d.ends {
		_ = end()
	}
}

// within runs a check, for no longer than doctorTime.
func within(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, doctorTime, errors.New("no answer within "+doctorTime.String()))
	defer cancel()
	err := check(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (d *doctor) show() error {
	a := d.app
	if a.grammar.JSON {
		return a.print(struct {
			OK     bool      `json:"ok"`
			Checks []finding `json:"checks"`
		}{d.faults == 0, d.findings})
	}
	var rows [][]string
	for _, f := range d.findings {
		rows = append(rows, []string{f.Name, f.State, f.Detail})
	}
	if err := a.table(a.stdout, 1, []string{"CHECK", "STATE", "WHAT"}, rows); err != nil {
		return err
	}
	for _, f := range d.findings {
		if f.Fix != "" {
			if err := a.line("%s: %s", f.Name, f.Fix); err != nil {
				return err
			}
		}
	}
	return nil
}
