# One image for every process of the system; docker-compose.yml says which one a container runs.
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DEBUG=0
WORKDIR /app

COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock

COPY . .
RUN useradd --system --no-create-home budget && mkdir -p var/static
USER budget

EXPOSE 8000
CMD ["python", "-m", "stack.web", "budget_manager.wsgi:application", "--bind", "0.0.0.0:8000"]
