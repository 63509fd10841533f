// A small operating system in the manner of Richards: tasks with priorities that pass
// packets to each other, in classes that share a method.
function kernel() {
  const WORK = 1, DEVICE = 0, IDLE = 0, WORKER = 1, HANDLER_A = 2, HANDLER_B = 3, DEVICE_A = 4, DEVICE_B = 5;
  class Packet {
    constructor(link, to, kind) { this.link = link; this.to = to; this.kind = kind; this.a1 = 0; this.a2 = [0, 0, 0, 0]; }
    addTo(queue) {
      this.link = null;
      if (queue === null) return this;
      let last = queue;
      while (last.link !== null) last = last.link;
      last.link = this;
      return queue;
    }
  }
  class Block {
    constructor(link, id, priority, queue, task) {
      this.link = link; this.id = id; this.priority = priority; this.queue = queue; this.task = task;
      this.held = false; this.suspended = queue === null; this.runnable = queue !== null;
    }
    stopped() { return this.held || (this.suspended && !this.runnable); }
    take() {
      let packet = null;
      if (this.suspended && this.runnable) {
        packet = this.queue;
        this.queue = packet.link;
        this.suspended = false;
        this.runnable = this.queue !== null;
      }
      return packet;
    }
    run() { return this.task.run(this.take()); }
    checkPriority(task, packet) {
      if (this.queue === null) {
        this.queue = packet; this.runnable = true;
        if (this.priority > task.priority) return this;
      } else this.queue = packet.addTo(this.queue);
      return task;
    }
  }
  class Scheduler {
    constructor() { this.blocks = []; this.list = null; this.current = null; this.queued = 0; this.holds = 0; }
    add(id, priority, queue, task, running) {
      this.list = new Block(this.list, id, priority, queue, task);
      this.blocks[id] = this.list;
      if (running) { this.list.suspended = false; this.list.runnable = false; }
    }
    schedule() {
      this.current = this.list;
      while (this.current !== null) this.current = this.current.stopped() ? this.current.link : ((this.id = this.current.id), this.current.run());
    }
    release(id) {
      const block = this.blocks[id];
      block.held = false;
      return block.priority > this.current.priority ? block : this.current;
    }
    hold() { this.holds++; this.current.held = true; return this.current.link; }
    wait() { this.current.suspended = true; return this.current; }
    queue(packet) {
      const block = this.blocks[packet.to];
      this.queued++;
      packet.link = null;
      packet.to = this.id;
      return block.checkPriority(this.current, packet);
    }
  }
  class IdleTask {
    constructor(scheduler, count) { this.scheduler = scheduler; this.v = 1; this.count = count; }
    run() {
      if (--this.count === 0) return this.scheduler.hold();
      if ((this.v & 1) === 0) { this.v >>= 1; return this.scheduler.release(DEVICE_A); }
      this.v = (this.v >> 1) ^ 0xd008;
      return this.scheduler.release(DEVICE_B);
    }
  }
  class DeviceTask {
    constructor(scheduler) { this.scheduler = scheduler; this.packet = null; }
    run(packet) {
      if (packet !== null) { this.packet = packet; return this.scheduler.hold(); }
      if (this.packet === null) return this.scheduler.wait();
      const done = this.packet;
      this.packet = null;
      return this.scheduler.queue(done);
    }
  }
  class WorkerTask {
    constructor(scheduler) { this.scheduler = scheduler; this.to = HANDLER_A; this.n = 0; }
    run(packet) {
      if (packet === null) return this.scheduler.wait();
      this.to = this.to === HANDLER_A ? HANDLER_B : HANDLER_A;
      packet.to = this.to;
      packet.a1 = 0;
      for (let n = 0; n < 4; n++) { this.n = (this.n % 26) + 1; packet.a2[n] = this.n; }
      return this.scheduler.queue(packet);
    }
  }
  class HandlerTask {
    constructor(scheduler) { this.scheduler = scheduler; this.work = null; this.devices = null; }
    run(packet) {
      if (packet !== null) {
        if (packet.kind === WORK) this.work = packet.addTo(this.work);
        else this.devices = packet.addTo(this.devices);
      }
      if (this.work !== null) {
        const work = this.work;
        if (work.a1 >= 4) { this.work = work.link; return this.scheduler.queue(work); }
        if (this.devices !== null) {
          const device = this.devices;
          this.devices = device.link;
          device.a1 = work.a2[work.a1++];
          return this.scheduler.queue(device);
        }
      }
      return this.scheduler.wait();
    }
  }
  const chain = (to, kind, count) => { let p = null; for (let n = 0; n < count; n++) p = new Packet(p, to, kind); return p; };
  const s = new Scheduler();
  s.add(IDLE, 0, null, new IdleTask(s, 2500), true);
  s.add(WORKER, 1000, chain(WORKER, WORK, 2), new WorkerTask(s));
  s.add(HANDLER_A, 2000, chain(DEVICE_A, DEVICE, 3), new HandlerTask(s));
  s.add(HANDLER_B, 3000, chain(DEVICE_B, DEVICE, 3), new HandlerTask(s));
  s.add(DEVICE_A, 4000, null, new DeviceTask(s));
  s.add(DEVICE_B, 5000, null, new DeviceTask(s));
  s.schedule();
  return [s.queued, s.holds].join();
}
