"""The pipeline in the way that it is usually written in Python: records in chunks, through coroutines.

    python peer_seed.py data/rows-1000000.csv data/rows.jsonl

Reader, pipeline, processors and sink are those of Biomapper's design of its streaming infrastructure, as they stand
there. It names a registry of parsers and an engine for rules, which are the least here that answers what Biotide does.
"""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any, AsyncIterator, Dict, Generic, List, NamedTuple, Optional, TypeVar

import aiofiles
from pydantic import BaseModel, Field

T = TypeVar("T")


class StreamChunk(BaseModel, Generic[T]):
    data: List[T]
    chunk_id: int
    total_chunks: Optional[int] = None
    metadata: Dict[str, Any] = Field(default_factory=dict)


class StreamPipeline:
    def __init__(self, chunk_size=1000, max_concurrent_chunks=5, backpressure_threshold=10):
        self.chunk_size = chunk_size
        self.max_concurrent_chunks = max_concurrent_chunks
        self.backpressure_threshold = backpressure_threshold
        self._processors = []
        self._semaphore = asyncio.Semaphore(max_concurrent_chunks)
        self._stats = {"chunks_processed": 0, "items_processed": 0, "errors": 0}

    def add_processor(self, processor):
        self._processors.append(processor)
        return self

    async def process_stream(self, data_stream: AsyncIterator) -> AsyncIterator[StreamChunk]:
        for processor in self._processors:
            await processor.initialize()
        try:
            chunk_stream = self._create_chunks(data_stream)
            async for result_chunk in self._process_pipeline(chunk_stream):
                yield result_chunk
        finally:
            for processor in self._processors:
                await processor.finalize()

    async def _create_chunks(self, data_stream):
        chunk_data = []
        chunk_id = 0
        async for item in data_stream:
            chunk_data.append(item)
            if len(chunk_data) >= self.chunk_size:
                yield StreamChunk(data=chunk_data, chunk_id=chunk_id, metadata={"source": "input_stream"})
                chunk_data = []
                chunk_id += 1
        if chunk_data:
            metadata = {"source": "input_stream", "final_chunk": True}
            yield StreamChunk(data=chunk_data, chunk_id=chunk_id, metadata=metadata)

    async def _process_pipeline(self, chunk_stream):
        async def process_single_chunk(chunk):
            async with self._semaphore:
                current_chunk = chunk
                for processor in self._processors:
                    try:
                        current_chunk = await processor.process_chunk(current_chunk)
                    except Exception as e:
                        self._stats["errors"] += 1
                        current_chunk.metadata["error"] = str(e)
                        current_chunk.metadata["failed_processor"] = type(processor).__name__
                self._stats["chunks_processed"] += 1
                self._stats["items_processed"] += len(current_chunk.data)
                return current_chunk

        pending_tasks = set()
        async for chunk in chunk_stream:
            if len(pending_tasks) >= self.backpressure_threshold:
                done, pending_tasks = await asyncio.wait(pending_tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield await task
            task = asyncio.create_task(process_single_chunk(chunk))
            pending_tasks.add(task)
        while pending_tasks:
            done, pending_tasks = await asyncio.wait(pending_tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield await task


async def stream_csv(file_path: str, chunk_size: int = 1000, skip_header: bool = True):
    async with aiofiles.open(file_path, "r") as file:
        header = None
        if skip_header:
            header_line = await file.readline()
            header = [col.strip() for col in header_line.strip().split(",")]
        buffer = []
        async for line in file:
            if line.strip():
                values = [val.strip() for val in line.strip().split(",")]
                if header:
                    record = dict(zip(header, values))
                else:
                    record = {f"col_{i}": val for i, val in enumerate(values)}
                buffer.append(record)
                if len(buffer) >= chunk_size:
                    for record in buffer:
                        yield record
                    buffer = []
        for record in buffer:
            yield record


class BiologicalParserProcessor:
    def __init__(self, parser_registry, column_mappings: List[Dict[str, str]]):
        self.parser_registry = parser_registry
        self.column_mappings = column_mappings
        self.stats = {"parsed_records": 0, "parse_errors": 0, "parser_usage": {}}

    async def initialize(self):
        pass

    async def process_chunk(self, chunk):
        parsed_records = []
        for record in chunk.data:
            parsed_record = record.copy()
            for mapping in self.column_mappings:
                source_col = mapping["source_column"]
                identifier_type = mapping["identifier_type"]
                if source_col in record:
                    value = record[source_col]
                    try:
                        parse_results = await self.parser_registry.parse(value, identifier_type)
                        if parse_results:
                            best_result = parse_results[0]
                            parsed_record[f"{identifier_type}_parsed"] = {
                                "raw": value,
                                "parsed": best_result.parsed_value,
                                "confidence": best_result.confidence,
                                "parser": best_result.parser_name,
                            }
                            parser_name = best_result.parser_name
                            usage = self.stats["parser_usage"]
                            usage[parser_name] = usage.get(parser_name, 0) + 1
                        self.stats["parsed_records"] += 1
                    except Exception as e:
                        self.stats["parse_errors"] += 1
                        parsed_record[f"{identifier_type}_error"] = str(e)
            parsed_records.append(parsed_record)
        metadata = {**chunk.metadata, "processor": "biological_parser", "parsed_count": len(parsed_records)}
        return StreamChunk(
            data=parsed_records, chunk_id=chunk.chunk_id, total_chunks=chunk.total_chunks, metadata=metadata
        )

    async def finalize(self):
        return self.stats


class NormalizationProcessor:
    def __init__(self, normalization_engine):
        self.normalization_engine = normalization_engine
        self.stats = {"normalized_records": 0, "normalization_errors": 0}

    async def initialize(self):
        pass

    async def process_chunk(self, chunk):
        normalized_records = []
        for record in chunk.data:
            try:
                normalized = await self.normalization_engine.normalize_record(record)
                normalized_records.append(normalized)
                self.stats["normalized_records"] += 1
            except Exception as e:
                self.stats["normalization_errors"] += 1
                record["normalization_error"] = str(e)
                normalized_records.append(record)
        metadata = {**chunk.metadata, "processor": "normalization", "normalized_count": len(normalized_records)}
        return StreamChunk(
            data=normalized_records, chunk_id=chunk.chunk_id, total_chunks=chunk.total_chunks, metadata=metadata
        )

    async def finalize(self):
        return self.stats


class FileStreamSink:
    def __init__(self, output_path: str, format: str = "jsonl"):
        self.output_path = Path(output_path)
        self.format = format
        self.file_handle = None
        self.records_written = 0

    async def initialize(self):
        self.file_handle = await aiofiles.open(self.output_path, "w")

    async def write_chunk(self, chunk):
        if not self.file_handle:
            await self.initialize()
        for record in chunk.data:
            if self.format == "jsonl":
                await self.file_handle.write(json.dumps(record) + "\n")
            self.records_written += 1

    async def finalize(self):
        if self.file_handle:
            await self.file_handle.close()
        return {"output_file": str(self.output_path), "records_written": self.records_written, "format": self.format}


# What the design names and does not show.


class Parsed(NamedTuple):
    parsed_value: str
    confidence: float
    parser_name: str


class Registry:
    ACCESSION = re.compile(r"(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})(?:-[0-9]+)?")

    async def parse(self, value, identifier_type):
        upper = value.upper()
        if self.ACCESSION.fullmatch(upper):
            return [Parsed(upper, 1.0 if upper == value else 0.9, identifier_type)]
        return []


class Engine:
    async def normalize_record(self, record):
        record["name"] = record["name"].strip().upper()
        try:
            record["value"] = float(record["value"])
        except ValueError:
            record["value"] = 0.0
        return record


async def main(rows, out, chunk_size):
    pipeline = StreamPipeline(chunk_size)
    pipeline.add_processor(
        BiologicalParserProcessor(Registry(), [{"source_column": "id", "identifier_type": "uniprot"}])
    )
    pipeline.add_processor(NormalizationProcessor(Engine()))
    sink = FileStreamSink(out)
    async for result_chunk in pipeline.process_stream(stream_csv(rows, chunk_size)):
        await sink.write_chunk(result_chunk)
    await sink.finalize()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1000))
