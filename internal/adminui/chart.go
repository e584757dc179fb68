package adminui

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

// chart is one series as bars from zero, with its numbers as a table behind it.
type chart struct {
	Title string
	Unit  string
	Total int64
	Bars  []bar
}

type bar struct {
	At    time.Time
	Label string
	Count int64
	// Detail says what the count is made of; often empty.
	Detail string
}

const (
	chartWidth  = 560
	chartHeight = 120
	chartTop    = 18
)

// SVG draws it. It has no style but classes, and says in words what it shows.
func (c chart) SVG() template.HTML {
	var most int64
	peak := 0
	for n, b := range c.Bars {
		if b.Count > most {
			most, peak = b.Count, n
		}
	}
	var s strings.Builder
	label := fmt.Sprintf("%s: %d %s", c.Title, c.Total, c.Unit)
	if len(c.Bars) > 0 && c.Total > 0 {
		label += fmt.Sprintf(", most at %s: %d", c.Bars[peak].Label, c.Bars[peak].Count)
	}
	fmt.Fprintf(&s, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s" focusable="false">`,
		chartWidth, chartHeight+chartTop+20, template.HTMLEscapeString(label))
	bottom := chartTop + chartHeight
	fmt.Fprintf(&s, `<path class="chart-base" d="M0 %d.5H%d"/>`, bottom, chartWidth)
	if len(c.Bars) > 0 {
		slot := float64(chartWidth) / float64(len(c.Bars))
		for n, b := range c.Bars {
			if b.Count <= 0 {
				continue
			}
			height := max(1.5, float64(b.Count)/float64(most)*chartHeight)
			fmt.Fprintf(&s, `<rect class="chart-bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="1"><title>%s: %d</title></rect>`,
				float64(n)*slot+slot*.12, float64(bottom)-height, slot*.76, height, template.HTMLEscapeString(b.Label), b.Count)
		}
		if c.Total > 0 {
			x, anchor := (float64(peak)+.5)*slot, "middle"
			switch {
			case x < 30:
				x, anchor = 0, "start"
			case x > chartWidth-30:
				x, anchor = chartWidth, "end"
			}
			fmt.Fprintf(&s, `<text class="chart-text" x="%.1f" y="%d" text-anchor="%s">%d</text>`, x, chartTop-5, anchor, c.Bars[peak].Count)
		}
		fmt.Fprintf(&s, `<text class="chart-text" x="0" y="%d">%s</text><text class="chart-text" x="%d" y="%d" text-anchor="end">%s</text>`,
			bottom+16, template.HTMLEscapeString(c.Bars[0].Label), chartWidth, bottom+16, template.HTMLEscapeString(c.Bars[len(c.Bars)-1].Label))
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String())
}

// span is a stretch of time the overview can show.
type span struct {
	Name, Label, format string
	Length, Step        time.Duration
}

var spans = []span{
	{"1h", "Last hour", "15:04", time.Hour, time.Minute},
	{"24h", "Last 24 hours", "Mon 15:04", 24 * time.Hour, time.Hour},
	{"30d", "Last 30 days", "2 Jan", 30 * 24 * time.Hour, 24 * time.Hour},
}

func spanOf(name string) span {
	for _, s := range spans {
		if s.Name == name {
			return s
		}
	}
	return spans[1]
}

// chartsOf makes the charts of a stretch: what was issued, used, refused, and who
// signed in.
func chartsOf(s span, points []hallpass.StatPoint) []chart {
	list := []chart{
		{Title: "Used", Unit: "uses"}, {Title: "Issued", Unit: "passes"},
		{Title: "Refused", Unit: "refusals"}, {Title: "Signed in", Unit: "sign-ins"},
	}
	for _, p := range points {
		label := p.At.UTC().Format(s.format)
		for n, count := range []int64{p.Used, p.Issued, p.Refused, p.Logins} {
			b := bar{At: p.At, Label: label, Count: count}
			if n == 2 {
				b.Detail = reasonsOf(p.Reasons)
			}
			list[n].Bars = append(list[n].Bars, b)
			list[n].Total += count
		}
	}
	return list
}

func reasonsOf(reasons map[hallpass.Refusal]int64) string {
	var said []string
	for _, r := range hallpass.Refusals() {
		if reasons[r] > 0 {
			said = append(said, fmt.Sprintf("%s %d", r, reasons[r]))
		}
	}
	return strings.Join(said, ", ")
}
