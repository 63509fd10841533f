# syntax=docker/dockerfile:1

# nxcc-zenroom-vm, zencode-exec, lua-exec and carrel. Nothing of Zenroom is in an image:
# see docs/concepts/zencode.md, "In a container".

FROM golang:1.26 AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags '-s -w' -o /out/bin/ ./cmd/nxcc-zenroom-vm ./cmd/zencode-exec ./cmd/lua-exec ./cmd/carrel
RUN mkdir -p /out/cache/carrel /out/cache/zenroom /out/run /out/tmp && chmod 1777 /out/tmp

# The programs and nothing else: the engine is to be put into the volume.
FROM scratch AS bare
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build --chmod=1777 /out/tmp/ /tmp/
COPY --from=build --chown=65532:65532 /out/cache/ /var/cache/nxcc/
COPY --from=build --chown=65532:65532 /out/run/ /run/nxcc/
ENV PATH=/usr/local/bin HOME=/tmp \
    CARREL_HOME=/var/cache/nxcc/carrel ZENROOM_CACHE_DIR=/var/cache/nxcc/zenroom \
    NXCC_VM_SERVER_UDS_PATH=/run/nxcc/zenroom.sock
VOLUME /var/cache/nxcc
USER 65532:65532
ENTRYPOINT ["nxcc-zenroom-vm"]

# With npm, which fetches the engine when it is first needed.
FROM node:24-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build --chown=65532:65532 /out/cache/ /var/cache/nxcc/
COPY --from=build --chown=65532:65532 /out/run/ /run/nxcc/
ENV HOME=/tmp \
    CARREL_HOME=/var/cache/nxcc/carrel ZENROOM_CACHE_DIR=/var/cache/nxcc/zenroom \
    NXCC_VM_SERVER_UDS_PATH=/run/nxcc/zenroom.sock
VOLUME /var/cache/nxcc
USER 65532:65532
ENTRYPOINT ["nxcc-zenroom-vm"]
