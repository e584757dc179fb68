package adminui_test

import (
	"fmt"
	"html"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/adminui"
)

func TestOperatorsAreListedPageByPageAndOneIsMarkedAsOneself(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.as(adminui.RoleViewer)
	const others = 60
	for n := range others {
		link, _ := s.link(fmt.Sprintf("operator-%02d", n), `{"role":"viewer"}`)
		s.browser().enter(link)
	}
	seen, mine, pages := map[string]bool{}, 0, 0
	for path := "/sessions"; path != ""; pages++ {
		body := b.get(path).body
		table := between(body, `aria-label="Operators"`, "</table>")
		for _, row := range strings.Split(table, "<tr>")[2:] {
			subject := between(row, "<bdi>", "</bdi>")
			if seen[subject] {
				t.Errorf("%s is there twice", subject)
			}
			seen[subject] = true
			if strings.Contains(row, "this is you") {
				mine++
				if subject != "greta" {
					t.Errorf("%s is marked as oneself", subject)
				}
			}
		}
		path = strings.TrimPrefix(html.UnescapeString(between(body, `rel="next" href="`, `"`)), adminui.DefaultPrefix)
	}
	if len(seen) != others+1 || mine != 1 || pages != 2 {
		t.Errorf("%d operators on %d pages, %d marked as oneself", len(seen), pages, mine)
	}
}
