# What NVIDIA's Triton image has that our target `gpu` builds on, where that image is not at hand: the server in
# /opt/tritonserver, of the same release, with a Python backend for the image's own Python, which is not ours. It has neither CUDA
# nor Ubuntu 22.04, so it proves our steps, not that image.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG PACKAGES_IMAGE
FROM ${PACKAGES_IMAGE} AS packages
FROM ${PYTHON_IMAGE}
USER root
COPY --from=packages /opt/venv/lib/python3.11/site-packages/pytriton/tritonserver /opt/tritonserver
COPY --from=packages /opt/venv/lib/python3.11/site-packages/nvidia_pytriton.libs /opt/tritonserver/lib
RUN cp /opt/tritonserver/python_backend_stubs/3.10/triton_python_backend_stub /opt/tritonserver/backends/python/ \
 && rm -r /opt/tritonserver/python_backend_stubs \
 && echo 2.51.0 > /opt/tritonserver/TRITON_VERSION \
 && echo /opt/tritonserver/lib > /etc/ld.so.conf.d/tritonserver.conf && ldconfig
ENTRYPOINT ["/opt/nvidia/nvidia_entrypoint.sh"]
