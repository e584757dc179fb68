package hallpass_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-go/hallpass"
)

func TestWhatAStoreDoesToARow(t *testing.T) {
	t.Parallel()
	at := func(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
	limited := func(maxUses int64) hallpass.Entry { return hallpass.Entry{Pass: hallpass.Pass{MaxUses: maxUses}} }
	ends := func(end, keep time.Time) hallpass.Entry {
		return hallpass.Entry{Pass: hallpass.Pass{ExpiresAt: end}, KeepUntil: keep}
	}
	never := time.Time{}
	amend := func(a hallpass.Amendment) func(*hallpass.Entry) bool { return a.Apply }
	capAt := func(n int64) func(*hallpass.Entry) bool {
		return func(e *hallpass.Entry) bool { return e.CapUses(n) }
	}
	revoke := func(now time.Time) func(*hallpass.Entry) bool {
		return func(e *hallpass.Entry) bool { return e.MarkRevoked(now) }
	}
	for name, c := range map[string]struct {
		row     hallpass.Entry
		change  func(*hallpass.Entry) bool
		want    hallpass.Entry
		changed bool
	}{
		"uses are added to a limit":            {limited(2), amend(hallpass.Amendment{AddUses: 3}), limited(5), true},
		"but to no unlimited pass":             {limited(0), amend(hallpass.Amendment{AddUses: 3}), limited(0), false},
		"and never taken":                      {limited(2), amend(hallpass.Amendment{AddUses: -1}), limited(2), false},
		"nor past what a number holds":         {limited(7), amend(hallpass.Amendment{AddUses: math.MaxInt64}), limited(math.MaxInt64), true},
		"an end moves later, and the row's":    {ends(at(5), at(6)), amend(hallpass.Amendment{ExpiresAt: at(7), KeepUntil: at(8)}), ends(at(7), at(8)), true},
		"never earlier":                        {ends(at(5), at(6)), amend(hallpass.Amendment{ExpiresAt: at(4), KeepUntil: at(9)}), ends(at(5), at(6)), false},
		"and the row is never kept shorter":    {ends(at(5), at(9)), amend(hallpass.Amendment{ExpiresAt: at(7), KeepUntil: at(8)}), ends(at(7), at(9)), true},
		"a row kept for ever stays so":         {ends(at(5), never), amend(hallpass.Amendment{ExpiresAt: at(7), KeepUntil: at(8)}), ends(at(7), never), true},
		"a row can become one kept for ever":   {ends(at(5), at(6)), amend(hallpass.Amendment{ExpiresAt: at(7)}), ends(at(7), never), true},
		"a pass without end gets none":         {ends(never, at(6)), amend(hallpass.Amendment{ExpiresAt: at(7), KeepUntil: at(8)}), ends(never, at(6)), false},
		"ends are kept to the microsecond":     {ends(at(5), at(6)), amend(hallpass.Amendment{ExpiresAt: at(7).Add(999), KeepUntil: at(8).Add(999)}), ends(at(7), at(8)), true},
		"an empty amendment changes nothing":   {ends(at(5), at(6)), amend(hallpass.Amendment{}), ends(at(5), at(6)), false},
		"a limit falls":                        {limited(5), capAt(3), limited(3), true},
		"to one at least":                      {limited(5), capAt(-3), limited(1), true},
		"and never rises":                      {limited(5), capAt(6), limited(5), false},
		"no limit stays none":                  {limited(0), capAt(3), limited(0), false},
		"a revocation is kept":                 {hallpass.Entry{}, revoke(at(3).Add(1)), hallpass.Entry{RevokedAt: at(3)}, true},
		"the first revocation's time stays":    {hallpass.Entry{RevokedAt: at(3)}, revoke(at(4)), hallpass.Entry{RevokedAt: at(3)}, false},
		"even one that says an earlier moment": {hallpass.Entry{RevokedAt: at(3)}, revoke(at(2)), hallpass.Entry{RevokedAt: at(3)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.row
			if changed := c.change(&got); changed != c.changed {
				t.Errorf("changed = %t, want %t", changed, c.changed)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatAStoreDoesToAUseThatEnds(t *testing.T) {
	t.Parallel()
	pending := hallpass.Use{ID: "u", Key: "k", State: hallpass.UsePending}
	ended := func(state hallpass.UseState, status int, key string) hallpass.Use {
		return hallpass.Use{ID: "u", Key: key, State: state, Status: status}
	}
	refund := hallpass.Settlement{State: hallpass.UseRefunded, Status: 500, MaxRefunds: 3}
	for name, c := range map[string]struct {
		use     hallpass.Use
		row     *hallpass.Entry
		end     hallpass.Settlement
		want    hallpass.Use
		wantRow *hallpass.Entry
		changed bool
	}{
		"a pending one is settled": {
			pending, &hallpass.Entry{Used: 2}, hallpass.Settlement{State: hallpass.UseSettled, Status: 200},
			ended(hallpass.UseSettled, 200, "k"), &hallpass.Entry{Used: 2}, true,
		},
		"a refund lowers the count and frees the key": {
			pending, &hallpass.Entry{Used: 2, Refunds: 1}, refund,
			ended(hallpass.UseRefunded, 500, ""), &hallpass.Entry{Used: 1, Refunds: 2}, true,
		},
		"a pass that had its refunds gets no other": {
			pending, &hallpass.Entry{Used: 2, Refunds: 3}, refund,
			ended(hallpass.UseSettled, 500, "k"), &hallpass.Entry{Used: 2, Refunds: 3}, true,
		},
		"nor does one that is gone": {pending, nil, refund, ended(hallpass.UseSettled, 500, "k"), nil, true},
		"the first settlement wins": {
			ended(hallpass.UseForwarded, 0, "k"), &hallpass.Entry{Used: 2}, refund,
			ended(hallpass.UseForwarded, 0, "k"), &hallpass.Entry{Used: 2}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			use := c.use
			if changed := c.end.Apply(&use, c.row); changed != c.changed {
				t.Errorf("changed = %t, want %t", changed, c.changed)
			}
			if diff := cmp.Diff(c.want, use) + cmp.Diff(c.wantRow, c.row); diff != "" {
				t.Error(diff)
			}
		})
	}
}
