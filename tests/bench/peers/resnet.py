"""CIFAR-style ResNets for the peers: the networks of topress's zoo, written the way one writes them in PyTorch."""
import torch.nn.functional as F
from torch import nn


def block_counts(depth):
    known = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3]}
    return known.get(depth, [(depth - 2) // 6] * 3)


def conv(inputs, outputs, side, stride=1):
    return nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False)


class Block(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = conv(channels, out, 3, stride)
        self.bn1 = nn.BatchNorm2d(out)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = conv(out, out, 3)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu2 = nn.ReLU(inplace=True)
        self.shortcut = None
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(conv(channels, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu2(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nn.Module):
    def __init__(self, depth, width, channels, classes=10):
        super().__init__()
        self.stem = nn.Sequential(conv(channels, width, 3), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        blocks, now = [], width
        for stage, count in enumerate(block_counts(depth)):
            for index in range(count):
                out = width << stage
                blocks.append(Block(now, out, 2 if stage > 0 and index == 0 else 1))
                now = out
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(now, classes)
        # Quantization puts quantizers here: no module makes these two values.
        self.input_quantizer = nn.Identity()
        self.pool_quantizer = nn.Identity()

    def forward(self, x):
        x = self.blocks(self.stem(self.input_quantizer(x)))
        return self.linear(self.pool_quantizer(x.mean((2, 3))))


def standardised_distillation(student, teacher, labels, temperature=2.0, weight=9.0, label_weight=0.1):
    """Sun et al., CVPR 2024, with the weights that topress takes."""
    def standardise(logits):
        return (logits - logits.mean(1, keepdim=True)) / (logits.std(1, keepdim=True) + 1e-7)

    student_log = F.log_softmax(standardise(student) / temperature, 1)
    teacher_probability = F.softmax(standardise(teacher) / temperature, 1)
    distance = F.kl_div(student_log, teacher_probability, reduction="batchmean") * temperature ** 2
    return weight * distance + label_weight * F.cross_entropy(student, labels)
