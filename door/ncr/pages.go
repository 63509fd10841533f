package ncr

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed page
var pages embed.FS

var (
	templates = template.Must(template.ParseFS(pages, "page/*.html"))
	style     = must(pages.ReadFile("page/page.css"))
	script    = must(pages.ReadFile("page/page.js"))
	icon      = must(pages.ReadFile("page/page.svg"))
)

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err) // it is embedded
	}
	return b
}

// policy has pages use nothing that is not the server's.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// A row is an endpoint on a page.
type row struct {
	Name, File, Path, Summary string
	Problem                   string // why it cannot be run
}

// index lists the endpoints: as a page, or as JSON as No-Code Room does.
func (x *exchange) index() {
	rows, ignored, err := x.h.rows()
	if err != nil {
		x.failed(err)
		return
	}
	x.w.Header().Add("Vary", "Accept")
	if !strings.Contains(x.r.Header.Get("Accept"), "text/html") {
		addresses := []string{}
		for _, r := range rows {
			addresses = append(addresses, "http://"+x.r.Host+"/"+r.Path)
		}
		x.answer(http.StatusOK, typeJSON, encoded(addresses))
		return
	}
	x.render("index.html", object{"Rows": rows, "Ignored": ignored})
}

// rows are the endpoints, one list at a time: each has files read.
func (h *Handler) rows() (rows []row, ignored []string, err error) {
	h.listing.Lock()
	defer h.listing.Unlock()
	list, err := h.list()
	if err != nil {
		return nil, nil, err
	}
	rows = []row{}
	for _, entry := range list.entries {
		r := row{Name: entry.Name, File: entry.File, Path: strings.TrimPrefix((&url.URL{Path: "/" + entry.Name}).EscapedPath(), "/")}
		e, err := h.find(entry.Name)
		if errors.Is(err, errAbsent) {
			continue // hidden, or gone
		} else if err != nil {
			r.Problem = err.Error()
		} else {
			r.Summary, _ = e.introduction()
			e.forget()
		}
		rows = append(rows, r)
	}
	return rows, list.ignored, nil
}

// docs is the page to try scripts, or one of them.
func (x *exchange) docs(name string) {
	root := strings.Repeat("../", strings.Count(strings.TrimPrefix(x.r.URL.Path, "/"), "/"))
	if root == "" {
		root = "./"
	}
	x.render("docs.html", object{"Root": root, "Name": name})
}

func (x *exchange) render(page string, of any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, page, of); err != nil {
		x.failed(err)
		return
	}
	x.w.Header().Set("Content-Security-Policy", policy)
	x.w.Header().Set("Referrer-Policy", "no-referrer")
	x.answer(http.StatusOK, typeHTML, b.Bytes())
}
