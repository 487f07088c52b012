// Package page writes runs as one HTML file for people: it has all its data, charts
// and styles in it, opens offline, and asks nothing of any server.
//
// The charts are drawn by uPlot (uplot/, under its MIT licence, from npm as
// uplot/vendor.sh fetches it); what is ours is report.js, report.css and
// report.html. The data is the runs' own, so the same runs give the same bytes.
package page
