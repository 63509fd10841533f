package nxcc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"carrel/api/nxcc/vm"
	"carrel/api/nxcc/vm/vmconnect"
)

// MessageBytesMax bounds a message to the service, as nXCC's own libraries do.
const MessageBytesMax = 4 << 20

// Handler serves the service vm.Vm of a VM: gRPC over HTTP/2.
//
// That a worker could not be started, stopped or invoked is in the answers, with
// success false; what the other methods fail by are errors of gRPC with the code
// INTERNAL.
func (v *VM) Handler() (path string, handler http.Handler) {
	return vmconnect.NewVmHandler(&service{v}, connect.WithReadMaxBytes(MessageBytesMax))
}

type service struct{ *VM }

func (s *service) StartWorker(_ context.Context, r *connect.Request[vm.StartWorkerRequest]) (*connect.Response[vm.StartWorkerResponse], error) {
	limits := r.Msg.GetTrustedConfig().GetLimits()
	w, err := s.Start(&Start{
		WorkerID: r.Msg.WorkerId, Script: r.Msg.WorkerCode, Userdata: r.Msg.GetUntrustedConfig().GetUserdataJson(),
		Secrets: r.Msg.GetTrustedConfig().GetSecrets(),
		Limits:  Limits{MemoryMB: limits.GetMemoryMb(), RuntimeSeconds: limits.GetMaxRuntimeSeconds()},
	})
	if err != nil {
		return connect.NewResponse(&vm.StartWorkerResponse{ErrorMessage: err.Error()}), nil
	}
	return connect.NewResponse(&vm.StartWorkerResponse{Id: w.ID, Success: true}), nil
}

func (s *service) StopWorker(_ context.Context, r *connect.Request[vm.StopWorkerRequest]) (*connect.Response[vm.StopWorkerResponse], error) {
	if err := s.Stop(r.Msg.Id); err != nil {
		return connect.NewResponse(&vm.StopWorkerResponse{ErrorMessage: err.Error()}), nil
	}
	return connect.NewResponse(&vm.StopWorkerResponse{Success: true}), nil
}

func (s *service) InvokeWorker(ctx context.Context, r *connect.Request[vm.InvokeWorkerRequest]) (*connect.Response[vm.InvokeWorkerResponse], error) {
	w, err := s.Worker(r.Msg.Id)
	if err == nil {
		var e *Envelope
		if e, err = w.Event(ctx, r.Msg.Payload, r.Msg.HandlerName); err == nil {
			return connect.NewResponse(&vm.InvokeWorkerResponse{Result: e.JSON(), Success: true}), nil
		}
	}
	return connect.NewResponse(&vm.InvokeWorkerResponse{ErrorMessage: err.Error()}), nil
}

func (s *service) InvokeHttp(ctx context.Context, r *connect.Request[vm.InvokeHttpRequest]) (*connect.Response[vm.InvokeHttpResponse], error) {
	if r.Msg.Request == nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("Missing HttpRequest in InvokeHttpRequest"))
	}
	w, err := s.Worker(r.Msg.WorkerId)
	if err != nil {
		return nil, internal("HTTP invocation failed", err)
	}
	request := &Request{Method: r.Msg.Request.Method, URI: r.Msg.Request.Uri, Body: r.Msg.Request.Body}
	for _, h := range r.Msg.Request.Headers {
		request.Headers = append(request.Headers, Header{h.Key, h.Value})
	}
	answer, _, err := w.HTTP(ctx, request)
	if err != nil {
		return nil, internal("HTTP invocation failed", err)
	}
	return connect.NewResponse(&vm.InvokeHttpResponse{Response: &vm.HttpResponse{
		StatusCode: uint32(answer.Status), Body: answer.Body,
		Headers: []*vm.Header{{Key: "content-type", Value: []byte(answer.ContentType)}},
	}}), nil
}

func internal(what string, err error) error {
	return connect.NewError(connect.CodeInternal, fmt.Errorf("%s: %w", what, err))
}

func (s *service) GetAttestation(context.Context, *connect.Request[vm.GetAttestationRequest]) (*connect.Response[vm.GetAttestationResponse], error) {
	return nil, internal("Failed to get attestation", errors.New("Attestation not supported"))
}

// status is that of a worker that is known.
func status(running bool) (status vm.WorkerStatus, name string) {
	if running {
		return vm.WorkerStatus_WORKER_STATUS_RUNNING, "Running"
	}
	return vm.WorkerStatus_WORKER_STATUS_STOPPED, "Stopped"
}

func (s *service) GetWorkerStatus(_ context.Context, r *connect.Request[vm.GetWorkerStatusRequest]) (*connect.Response[vm.GetWorkerStatusResponse], error) {
	_, running, err := s.Known(r.Msg.Id)
	if err != nil {
		return connect.NewResponse(&vm.GetWorkerStatusResponse{Id: r.Msg.Id, ErrorMessage: err.Error()}), nil
	}
	number, _ := status(running)
	return connect.NewResponse(&vm.GetWorkerStatusResponse{Id: r.Msg.Id, Status: number, Success: true}), nil
}

func (s *service) ProbeWorker(_ context.Context, r *connect.Request[vm.ProbeWorkerRequest]) (*connect.Response[vm.ProbeWorkerResponse], error) {
	_, running, err := s.Known(r.Msg.Id)
	if err != nil {
		return nil, internal("Failed to probe worker", err)
	}
	number, name := status(running)
	return connect.NewResponse(&vm.ProbeWorkerResponse{Status: number, StatusMessage: "Worker status: " + name}), nil
}

func (s *service) ListRunningWorkers(context.Context, *connect.Request[vm.ListRunningWorkersRequest]) (*connect.Response[vm.ListRunningWorkersResponse], error) {
	return connect.NewResponse(&vm.ListRunningWorkersResponse{Ids: s.Running()}), nil
}

func (s *service) GetWorkerLogs(_ context.Context, r *connect.Request[vm.GetWorkerLogsRequest]) (*connect.Response[vm.GetWorkerLogsResponse], error) {
	w, _, err := s.Known(r.Msg.Id)
	if err != nil {
		return connect.NewResponse(&vm.GetWorkerLogsResponse{ErrorMessage: err.Error()}), nil
	}
	var texts []string
	for _, line := range w.Log.Lines() {
		texts = append(texts, line.Text)
	}
	return connect.NewResponse(&vm.GetWorkerLogsResponse{Logs: strings.Join(texts, "\n"), Success: true}), nil
}

func (s *service) StreamWorkerLogs(ctx context.Context, r *connect.Request[vm.StreamWorkerLogsRequest], stream *connect.ServerStream[vm.StreamWorkerLogsResponse]) error {
	w, _, err := s.Known(r.Msg.Id)
	if err != nil {
		return internal("Failed to stream worker logs", err)
	}
	return w.Log.Stream(ctx, r.Msg.TailLines, r.Msg.Follow, func(line Line, historical bool) error {
		return stream.Send(&vm.StreamWorkerLogsResponse{LogLine: line.Text, TimestampMs: uint64(max(0, line.Time.UnixMilli())), IsHistorical: historical})
	})
}
