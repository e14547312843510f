package report

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/tugboot/tugboot/test/bench/measure"
)

// Bar is one bar of a plot.
type Bar struct {
	Label   string
	Summary measure.Summary
	// Own marks Tugboot, Limit what does no work.
	Own, Limit bool
}

// Bars is a plot of horizontal bars, each with a whisker from its lowest round to its highest.
type Bars struct {
	Title, Unit string
	// Log makes the axis logarithmic.
	Log  bool
	Bars []Bar
}

// Sizes of a plot, in pixels.
const (
	labelWidth = 250
	barWidth   = 420
	valueWidth = 110
	rowHeight  = 24
	headHeight = 44
)

// SVG draws the plot. Its colours are legible on light and on dark pages.
func (b Bars) SVG() string {
	width, height := labelWidth+barWidth+valueWidth, headHeight+rowHeight*len(b.Bars)+10
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" `, width, height)
	s.WriteString(`font-family="sans-serif" font-size="13">` + "\n")
	fmt.Fprintf(&s, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	scale := ""
	if b.Log {
		scale = ", logarithmic"
	}
	fmt.Fprintf(&s, `<text x="10" y="22" font-size="15" font-weight="bold">%s</text>`+"\n", html.EscapeString(b.Title))
	fmt.Fprintf(&s, `<text x="%d" y="22" text-anchor="end" fill="#555555">%s%s</text>`+"\n", width-10, html.EscapeString(b.Unit), scale)
	for i, bar := range b.Bars {
		b.draw(&s, bar, headHeight+i*rowHeight)
	}
	s.WriteString("</svg>\n")
	return s.String()
}

func (b Bars) draw(s *strings.Builder, bar Bar, y int) {
	colour, weight := "#8fa3b8", "normal"
	switch {
	case bar.Own:
		colour, weight = "#1668b0", "bold"
	case bar.Limit:
		colour = "#c9c9c9"
	}
	fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="end" font-weight="%s">%s</text>`+"\n", labelWidth-8, y+15, weight,
		html.EscapeString(bar.Label))
	if bar.Summary.Rounds == 0 {
		fmt.Fprintf(s, `<text x="%d" y="%d" fill="#a03030">see the table</text>`+"\n", labelWidth+4, y+15)
		return
	}
	low, high := b.x(bar.Summary.Min), b.x(bar.Summary.Max)
	fmt.Fprintf(s, `<rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/>`+"\n", labelWidth, y+3, b.x(bar.Summary.Median), colour)
	fmt.Fprintf(s, `<path d="M%.1f %d H%.1f M%.1f %d v8 M%.1f %d v8" stroke="#202020" fill="none"/>`+"\n",
		labelWidth+low, y+11, labelWidth+high, labelWidth+low, y+7, labelWidth+high, y+7)
	fmt.Fprintf(s, `<text x="%.1f" y="%d">%s</text>`+"\n", labelWidth+high+6, y+15, number(bar.Summary.Median))
}

// x is how long a bar is for a value, in pixels.
func (b Bars) x(value float64) float64 {
	low, high := math.Inf(1), 0.0
	for _, bar := range b.Bars {
		if bar.Summary.Rounds > 0 {
			high = math.Max(high, bar.Summary.Max)
			low = math.Min(low, bar.Summary.Min)
		}
	}
	switch {
	case high <= 0 || value <= 0:
		return 0
	case !b.Log || low <= 0:
		return barWidth * value / high
	}
	floor := math.Pow(10, math.Floor(math.Log10(low)-0.1))
	return barWidth * math.Log(value/floor) / math.Log(high/floor)
}

// number writes a figure with three digits that count, and commas between thousands.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case math.Abs(v) < 10:
		return fmt.Sprintf("%.2f", v)
	case math.Abs(v) < 100:
		return fmt.Sprintf("%.1f", v)
	}
	digits := fmt.Sprintf("%.0f", v)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
