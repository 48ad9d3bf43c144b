// Package metrics counts and measures what operators watch, for Prometheus. Every value of a label is one of a few that
// the server knows: no client can add a time series.
package metrics

import (
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/sign"
)

const namespace = "s3_sign_srv"

// buckets are upper limits in seconds: a signature takes less than a millisecond, the store and a hook at most 10 s
// each.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics are the metrics of one server. They are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests        *prometheus.CounterVec
	requestDuration *prometheus.HistogramVec
	requestErrors   *prometheus.CounterVec
	hookDuration    *prometheus.HistogramVec
	storeDuration   *prometheus.HistogramVec

	uploadsBegun, uploadsCompleted, uploadsAborted, uploadBytes prometheus.Counter
}

// New returns metrics of a server of that version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counters("requests_total", "Requests by route, signed operation, signature version and status.",
			"route", "operation", "version", "status"),
		requestDuration: histograms("request_duration_seconds", "Time until a request was answered.", "route"),
		requestErrors: counters("request_errors_total", "Requests that were rejected or failed, by error code.",
			"code", "kind"),
		hookDuration: histograms("hook_duration_seconds", "Duration of the calls of hooks.", "hook", "result"),
		storeDuration: histograms("store_duration_seconds", "Duration of the server's own calls to the store.",
			"operation", "result"),
		uploadsBegun: counter("uploads_begun_total", "Uploads whose first request was signed."),
		uploadsCompleted: counter("uploads_completed_total",
			"Success reports that were accepted. A page repeats a report that was not answered."),
		uploadsAborted: counter("uploads_aborted_total", "Chunked uploads whose abort was signed."),
		uploadBytes:    counter("uploads_completed_bytes_total", "Size of the objects of the accepted success reports."),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with the version of the program.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(build, m.requests, m.requestDuration, m.requestErrors, m.hookDuration, m.storeDuration,
		m.uploadsBegun, m.uploadsCompleted, m.uploadsAborted, m.uploadBytes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	options := prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}
	return prometheus.NewHistogramVec(options, labels)
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// AddGauge adds a value that f returns when the metrics are read.
func (m *Metrics) AddGauge(name, help string, f func() float64) {
	options := prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
	m.registry.MustRegister(prometheus.NewGaugeFunc(options, f))
}

// AddCounter adds a number that f returns when the metrics are read, and that never decreases.
func (m *Metrics) AddCounter(name, help string, f func() float64) {
	options := prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}
	m.registry.MustRegister(prometheus.NewCounterFunc(options, f))
}

// Request describes a finished request. Operation and Version are zero if it was not to be signed.
type Request struct {
	Route     string // the pattern of the route; empty: none
	Operation sign.Operation
	Version   sign.Version
	Status    int
	Duration  time.Duration
}

// ObserveRequest counts a finished request.
func (m *Metrics) ObserveRequest(r Request) {
	route, version := r.Route, ""
	if route == "" {
		route = "unknown"
	}
	if r.Version != 0 {
		version = strconv.Itoa(int(r.Version))
	}
	m.requests.WithLabelValues(route, string(r.Operation), version, strconv.Itoa(r.Status)).Inc()
	m.requestDuration.WithLabelValues(route).Observe(r.Duration.Seconds())
}

// CountError counts a request that gets e as its response.
func (m *Metrics) CountError(e *apierror.Error) {
	m.requestErrors.WithLabelValues(e.Code.String(), string(e.Kind)).Inc()
}

// ObserveStore measures a call to the store that ended with err.
func (m *Metrics) ObserveStore(operation string, d time.Duration, err error) {
	m.storeDuration.WithLabelValues(operation, result(err)).Observe(d.Seconds())
}

// result is "rejected" for an error that the client caused, and "failed" for the other ones.
func result(err error) string {
	if err == nil {
		return "ok"
	}
	var e *apierror.Error
	if !errors.As(err, &e) {
		return "failed"
	}
	switch e.Code {
	case apierror.Internal, apierror.StoreFailed, apierror.HookFailed, apierror.Unavailable:
		return "failed"
	}
	return "rejected"
}
